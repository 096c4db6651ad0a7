import type { Allowed, Denied } from './verdict.ts'

/** What asking again about an open connection came to. */
export type Change =
  /** Nothing to do. Also where nobody could say: a backend that is away kicks nobody. */
  | { readonly change: 'none' }
  /** Still welcome, with other rights or another user id: take over `verdict`, keep the socket. */
  | { readonly change: 'rights', readonly verdict: Allowed }
  /** No longer welcome: close with the verdict's code. */
  | { readonly change: 'lost', readonly verdict: Denied }

const NONE: Change = { change: 'none' }

/** Asks again whether an open connection may stay, the way it came in. `current` is the verdict that holds for it now. */
export async function askAgain (current: Allowed): Promise<Change> {
  if (current.recheck === undefined) return NONE
  const verdict = await current.recheck()
  if (!verdict.allowed) return verdict.permanent ? { change: 'lost', verdict } : NONE
  // A user call that failed this time must not hide the connection from a reset of that user.
  const userId = verdict.userId ?? current.userId
  if (verdict.canEdit === current.canEdit && userId === current.userId) return NONE
  return { change: 'rights', verdict: { ...verdict, userId } }
}
