import type { Allowed, Denied } from './verdict.ts'

/** The result of rechecking an open connection. */
export type Change =
  /** Nothing to do. This includes a backend that is unavailable, which closes no connections. */
  | { readonly change: 'none' }
  /** The rights or the user id have changed: apply `verdict` and keep the connection. */
  | { readonly change: 'rights', readonly verdict: Allowed }
  /** Access is denied now: close the connection with the verdict's code. */
  | { readonly change: 'lost', readonly verdict: Denied }

const none: Change = { change: 'none' }

/**
 * Checks again whether an open connection has access, in the same way as when it was opened.
 * @param current the verdict that holds for it now
 */
export async function recheck (current: Allowed): Promise<Change> {
  if (current.recheck === undefined) return none
  const verdict = await current.recheck()
  if (!verdict.allowed) return verdict.permanent ? { change: 'lost', verdict } : none
  // If the call for the user fails this time, a reset of that user must still find the connection.
  const userId = verdict.userId ?? current.userId
  if (verdict.canEdit === current.canEdit && userId === current.userId) return none
  return { change: 'rights', verdict: { ...verdict, userId } }
}
