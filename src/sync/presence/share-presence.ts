import { absentState } from '../../protocol/awareness.ts'
import type { SharedPresence } from '../peers/other-nodes.ts'
import type { Presence } from './awareness-table.ts'

/** Presence in the form in which nodes share it. `now` is engine time in ms. */
export function sharePresence (presences: readonly Presence[], now: number): SharedPresence[] {
  return presences.map(({ clientId, clock, state, claim, renewedAt }) => ({
    clientId,
    clock,
    state,
    ...claim,
    leftMs: state === absentState ? Math.max(0, Math.round(now - renewedAt)) : 0,
  }))
}
