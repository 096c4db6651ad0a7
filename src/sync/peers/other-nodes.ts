import type { NodeId } from '../../bus/bus.ts'
import type { AwarenessEntry } from '../../protocol/awareness.ts'

/** Presence as nodes share it. */
export interface SharedPresence extends AwarenessEntry {
  /** The owner of the client id, and since when in ms since the epoch: see presence/claim.ts */
  readonly person: string
  readonly since: number
  /** ms since the client left; 0 while it is present */
  readonly leftMs: number
}

/**
 * What nodes that have the same room open send each other. Messages from one node to another arrive in order, or are
 * lost.
 */
export type RoomMessage =
  /** A tick's merged update, on its way to the store */
  | { readonly type: 'update', readonly update: Uint8Array }
  /** Presence that has changed, of clients that are connected to the sender */
  | { readonly type: 'awareness', readonly entries: readonly SharedPresence[] }
  /**
   * The sender has the room open too: everyone who is connected to it, everyone who has left lately, and the highest
   * log position that it knows. Its unsaved updates follow.
   */
  | { readonly type: 'introduction', readonly lastSeq: number, readonly entries: readonly SharedPresence[] }
  /**
   * All but the last `unsaved` updates of the sender are stored; `seqs` (rising) are the log positions that its updates
   * were given since the last such message
   */
  | { readonly type: 'stored', readonly unsaved: number, readonly seqs: readonly number[] }
  /** Something was stored that was not sent, because it is large or arrived another way */
  | { readonly type: 'read' }
  /** The snapshot was replaced: its bytes, and what was removed from the log */
  | {
    readonly type: 'compacted'
    readonly snapshotBytes: number
    readonly logBytes: number
    readonly logEntries: number
  }

/** A room as other nodes see it. */
export interface SharedRoom {
  readonly name: string
  /** The first messages to a node that has the room open too. */
  introduce (): RoomMessage[]
  received (from: NodeId, message: RoomMessage): void
  /** A node has closed the room. `isOrderly`: it has stored everything that it sent; false: it may not have. */
  left (node: NodeId, isOrderly: boolean): void
  /** Other nodes may have stored updates that were not sent to this one: the store must be read. */
  mustReadStore (): void
  /** The log has reached this position with an update that no room has sent: the room reads it, unless it has it. */
  mustHave (seq: number): void
}

/** The other nodes of the service, as rooms see them. */
export interface OtherNodes {
  /** Announces that this node has the room open. To be called before the room is read from the store. */
  opened (room: SharedRoom): void
  closed (room: SharedRoom): void
  /**
   * Sets the answer to a node that opens a room which this node does not have open.
   * @param answer called with the room's name
   */
  answerOpenings (answer: (name: string) => RoomMessage | undefined): void
  /** Whether another node has the room open too. */
  isOpenElsewhere (room: SharedRoom): boolean
  /** Sends a message to all nodes that have the room open. */
  send (room: SharedRoom, message: RoomMessage): void
  /** Reports to all nodes that have the document open, even if this one does not, that no room has sent this update. */
  wrote (name: string, seq: number): void
  /** Whether it is this node's turn to do work on the room that one node at a time does. */
  isTurn (name: string): boolean
  /** ms after which an open room is read from the store although no node has sent anything; 0 = never */
  readonly readEveryMs: number
}

/** For a service of one process. */
export const noOtherNodes: OtherNodes = {
  opened () {},
  closed () {},
  answerOpenings () {},
  isOpenElsewhere: () => false,
  send () {},
  wrote () {},
  isTurn: () => true,
  readEveryMs: 0,
}
