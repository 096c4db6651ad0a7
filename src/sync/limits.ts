import { clientBounds, type UpdateBounds } from '../update/bounds.ts'

/** Bounds of the engine. Each one is a setting; docs/settings.md has units, reasons and defaults. */
export interface Limits {
  /** Bytes of a stored document (snapshot and log); 0 = no limit. Checked on writes: a larger document can be read. */
  readonly maxDocumentBytes: number
  /** Clients whose edits are in one document; 0 = no limit. Checked on writes. */
  readonly maxDocumentClients: number
  /** Ranges of deletions in one document; 0 = no limit. Checked on writes. */
  readonly maxDocumentDeleteRanges: number
  /** Bytes of all awareness states of one connection together */
  readonly maxAwarenessBytes: number
  /** Bytes of all updates that wait for the store; above it, writers are disconnected and retry */
  readonly maxUnsavedBytes: number
  /** ms for which a busy room can gather updates before a tick, at most 50 (tick/tick-clock.ts) */
  readonly maxTickSpacingMs: number
  /** ms without a message or a pong after which a client counts as unreachable */
  readonly silenceMs: number
}

/** Bounds on the counts of one document. */
export type DocumentBounds = Pick<UpdateBounds, 'clients' | 'gaps' | 'deleteRanges'>

/** The bounds on one document that the limits set. */
export const documentBoundsOf = (
  { maxDocumentClients, maxDocumentDeleteRanges }: Pick<Limits, 'maxDocumentClients' | 'maxDocumentDeleteRanges'>
): DocumentBounds => ({
  clients: maxDocumentClients || Infinity,
  gaps: clientBounds.gaps,
  deleteRanges: maxDocumentDeleteRanges || Infinity,
})

/** Updates above this many bytes are checked in a worker thread; a smaller one takes well under a millisecond. */
export const heavyUpdateBytes = 128 * 1024

/** Updates of more parts than this are added to a room step by step; fewer take well under 5 ms. */
export const manyParts = 5000

/** Bytes of one piece of a snapshot: a 5 Mbit/s link takes 0.4 s for it, far below the 30 s watchdog of a client. */
export const pieceBytes = 256 * 1024

/** ms after which presence that was not renewed expires (`outdatedTimeout` of y-protocols/awareness.js). */
export const awarenessTimeoutMs = 30_000

/**
 * ms without a message to a client before the room sends one: y-websocket closes itself after 30 s of silence. Its
 * presence, which it renews every 15 s, returns to it: in a room of present clients nothing more is sent.
 */
export const keepaliveMs = 18_000

/** ms, at most, before a silent client is pinged: proxies close silent connections after 30 to 60 s. */
const longestSilenceMs = 24_000

/**
 * ms without a message from a client before it is pinged, and pinged again: twice before it counts as unreachable.
 * @param silenceMs after which it does
 */
export const pingAfterMs = (silenceMs: number): number => Math.min(longestSilenceMs, 0.4 * silenceMs)

/** Client ids that one connection can own: an editor with several documents in one page uses a few. */
export const maxClientIdsPerConnection = 32
