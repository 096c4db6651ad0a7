/**
 * How much a client's update may count. Bytes alone do not bound what an update costs: one of 9 bytes for each of a million clients takes seconds and
 * gigabytes where a paste of the same bytes takes milliseconds. Each bound is far above what people reach and low enough to be cheap.
 * What is read from the store is not held against them: it was taken, so it must stay readable.
 */
export interface UpdateBounds {
  /** Clients that structs are by. */
  readonly clients: number
  /** Runs of structs beyond one for each client. */
  readonly gaps: number
  /** Ranges of deleted clocks: those of the delete set and, apart from them, those of structs whose content is gone. */
  readonly deleteRanges: number
  /** Other clients whose structs it refers to. */
  readonly needs: number
}

/** For what a client sends. */
export const clientBounds: UpdateBounds = {
  // Each opening of an editor that writes is a client: 18 a day for ten years. At the bound a state vector has 0.6 MB, and a thread takes 150 MB.
  clients: 65_536,
  // Only what was merged while something was missing has gaps; offline edits of one person leave a handful.
  gaps: 10_000,
  // A paper of 260,000 edits ends with 2,639 ranges, one for each 98 edits or 118 bytes: this is 95 times as many.
  deleteRanges: 250_000,
  // Every one is a client of the document, or it could not be referred to.
  needs: 65_536,
}

/** For what was taken before: from the store, or from another node. */
export const unbounded: UpdateBounds = { clients: Infinity, gaps: Infinity, deleteRanges: Infinity, needs: Infinity }

/** Entries of a client's state vector: the clients of the largest document, and as many that only the reader has. */
export const maxStateVectorEntries = 131_072
