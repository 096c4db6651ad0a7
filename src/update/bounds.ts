/**
 * Limits of a client's update. Bytes alone do not bound its cost: an update with 9 bytes for each of a million clients
 * takes seconds and gigabytes, a paste of the same size milliseconds. Each bound is far above what people reach and low
 * enough to be cheap. Updates from the store are exempt: they were accepted, so they must stay readable.
 */
export interface UpdateBounds {
  /** Clients that wrote structs. */
  readonly clients: number
  /** Runs of structs beyond one for each client. */
  readonly gaps: number
  /** Ranges of deleted clocks: those of the delete set, and those of structs without content. */
  readonly deleteRanges: number
  /** Clients to whose structs it refers without holding them. */
  readonly needs: number
}

/** The bounds of what a client sends. */
export const clientBounds: UpdateBounds = {
  // Each session that writes is a client: 18 a day for ten years. At the bound a state vector has 0.6 MB, and a thread
  // takes 150 MB.
  clients: 65_536,
  // Only updates that were merged while others were missing have gaps; offline edits of one person leave a handful.
  gaps: 10_000,
  // A paper of 260,000 edits ends with 2,639 ranges, one for 98 edits or 118 bytes: the bound is 95 times that.
  deleteRanges: 250_000,
  // Each is a client of the document.
  needs: 65_536,
}

/** No bounds, for updates that were accepted before: from the store, or from another node. */
export const unbounded: UpdateBounds = { clients: Infinity, gaps: Infinity, deleteRanges: Infinity, needs: Infinity }

/** The most entries of a state vector: the clients of the largest document, and as many that only the reader has. */
export const maxStateVectorEntries = 131_072
