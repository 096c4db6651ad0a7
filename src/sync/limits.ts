/** Bounds of the engine. Every one is a setting; see docs/settings.md for units, reasons and defaults. */
export interface Limits {
  /** Bytes of one document as stored (snapshot and log); 0 = none. Bites at write time: reading goes on. */
  readonly maxDocumentBytes: number
  /** Clients whose edits are in one document, and ranges of its deletions; 0 = none. They bite like `maxDocumentBytes`. */
  readonly maxDocumentClients: number
  readonly maxDocumentDeleteRanges: number
  /** Bytes of all awareness states of one connection together */
  readonly maxAwarenessBytes: number
  /** Bytes written to one socket and not taken yet, above which the connection catches up later instead */
  readonly maxSocketBufferBytes: number
  /** Bytes of all updates that wait for the store; above it writers are refused */
  readonly maxUnsavedBytes: number
  /** ms that a busy room may gather what arrives before it sends it on, up to `maxSpacingMs` of tick-clock.ts */
  readonly maxTickSpacingMs: number
  /** ms after which a peer that has sent nothing, not even a pong, is taken for dead */
  readonly silenceMs: number
}

/** Updates above this many bytes are checked in a worker thread: below, a check takes well under a millisecond. */
export const heavyUpdateBytes = 128 * 1024

/** Updates of more parts than this are taken in step by step: below, that takes well under 5 ms. */
export const manyParts = 5000

/** Snapshots are sent in pieces of this size: a 5 Mbit/s link takes one in 0.4 s, far below a client's 30 s watchdog. */
export const pieceBytes = 256 * 1024

/** Presence that is not renewed within this time is gone (`outdatedTimeout` of y-protocols/awareness.js). */
export const awarenessTimeoutMs = 30_000

/** y-websocket closes itself after 30 s without a message; half of that leaves room for a slow link. */
export const keepaliveMs = 12_000

/** One connection owns at most this many client ids: an editor with several documents in one page uses a few. */
export const maxClientIdsPerConnection = 32
