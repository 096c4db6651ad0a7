import { createHash } from 'node:crypto'
import type { NodeId } from '../bus/bus.ts'
import { absentState } from '../protocol/awareness.ts'
import type { AwarenessOwner, AwarenessTable, Presence } from './awareness-table.ts'
import type { SharedPresence } from './neighbours.ts'

/** Somebody who is connected to another node, which has judged already who may speak for whom. */
export class RemotePerson implements AwarenessOwner {
  readonly node: NodeId
  readonly person: number

  constructor (node: NodeId, person: number) {
    this.node = node
    this.person = person
  }

  /** The other node has told echoes from returns already. */
  readonly joinedAt = Infinity
  mayTakeFrom (): boolean { return true }
}

/** A digest of 32 bits of what tells one person from another; 0 where nothing does. */
export function personOf (userId: string | undefined, sessionKey: string | undefined): number {
  if (userId === undefined && sessionKey === undefined) return 0
  const name = userId === undefined ? `session ${sessionKey}` : `user ${userId}`
  return createHash('sha256').update(name).digest().readUInt32BE() || 1
}

/** Those of this node, as other nodes are told. */
export function ownPresence (presences: Iterable<Presence>): SharedPresence[] {
  const own: SharedPresence[] = []
  for (const { clientId, clock, state, speaker } of presences) {
    if (speaker?.node === undefined) own.push({ clientId, clock, state, person: speaker?.person ?? 0 })
  }
  return own
}

/** Takes in what a node says of those who are connected to it. A word of somebody's leave counts only while they are there. */
export function hearPresence (table: AwarenessTable, node: NodeId, entries: readonly SharedPresence[], now: number): void {
  for (const entry of entries) {
    if (entry.state === absentState && !table.isAt(entry.clientId, node)) continue
    table.apply([entry], new RemotePerson(node, entry.person), Infinity, now)
  }
}
