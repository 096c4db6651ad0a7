import type { NodeId } from '../../bus/bus.ts'
import type { AwarenessEntry } from '../../protocol/awareness.ts'

/** Presence as nodes tell it to each other. */
export interface SharedPresence extends AwarenessEntry {
  /** Whose the client id is, and since when in ms since the epoch: see claim.ts */
  readonly person: string
  readonly since: number
  /** ms since the client left; 0 while it is present */
  readonly leftMs: number
}

/** What nodes that hold the same room tell each other. What one says to another arrives in order, or not at all. */
export type RoomMessage =
  /** A tick's merged update, on its way to the store */
  | { readonly type: 'update', readonly update: Uint8Array }
  /** Who has changed, of those who are connected to the sender */
  | { readonly type: 'awareness', readonly entries: readonly SharedPresence[] }
  /** The sender holds the room too: all who are connected to it, all who have left lately, and the highest log position it knows of. Its unsaved updates follow */
  | { readonly type: 'greeting', readonly lastSeq: number, readonly entries: readonly SharedPresence[] }
  /** All but the last `unsaved` updates that the sender has sent are stored; `seqs` (rising) have been given to it since it last said so */
  | { readonly type: 'stored', readonly unsaved: number, readonly seqs: readonly number[] }
  /** Something was stored that was not sent, because it is large or came another way */
  | { readonly type: 'read' }
  /** The snapshot was replaced: its bytes, and what it took out of the log */
  | { readonly type: 'compacted', readonly snapshotBytes: number, readonly logBytes: number, readonly logEntries: number }

/** A room as the other nodes see it. */
export interface SharedRoom {
  readonly name: string
  /** What a node that turns out to hold the room too is told first. */
  greet (): RoomMessage[]
  heard (from: NodeId, message: RoomMessage): void
  /** A node holds the room no longer. `isOrderly`: it has stored all that it sent, and says goodbye; else it has vanished. */
  left (node: NodeId, isOrderly: boolean): void
  /** Others may have stored what was not told here: the store must be read. */
  fallBehind (): void
}

/** The other nodes, as rooms see them. */
export interface Neighbours {
  /** Tells all nodes that this one holds the room from now on. To be called before the room is read from the store. */
  opened (room: SharedRoom): void
  closed (room: SharedRoom): void
  /**
   * Sets the answer to a node that opens a room which this node does not hold.
   * @param answer called with the room's name
   */
  answerOpenings (answer: (name: string) => RoomMessage | undefined): void
  /** Whether some other node holds the room too. */
  areIn (room: SharedRoom): boolean
  /** Tells all that hold the room too. */
  tell (room: SharedRoom, message: RoomMessage): void
  /** Whether work on the room that one node at a time does is this one's turn. */
  isTurn (name: string): boolean
  /** How often each open room is read from the store though nothing says that it must be, in ms; 0 = never. */
  readonly readEveryMs: number
}

/** For a service of one process. */
export const noNeighbours: Neighbours = {
  opened () {},
  closed () {},
  answerOpenings () {},
  areIn: () => false,
  tell () {},
  isTurn: () => true,
  readEveryMs: 0,
}
