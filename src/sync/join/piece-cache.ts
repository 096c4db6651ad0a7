/** Bytes: enough for a few large documents that many clients join at once. */
const maxBytes = 32 * 1024 * 1024

/**
 * Frames of stored pieces. Reading and framing a piece once serves all clients that join at about the same time;
 * nothing is kept for longer than joining takes.
 */
export class PieceCache {
  #frames = new Map<string, { readonly made: Promise<Buffer>, bytes: number }>()
  #bytes = 0

  /** @param make called if the frame is not in the cache; its failure is not kept */
  get (key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const here = this.#frames.get(key)
    if (here !== undefined) return here.made
    const entry = { made: make(), bytes: 0 }
    this.#frames.set(key, entry)
    entry.made.then((frame) => { this.#added(key, entry, frame) }, () => {
      if (this.#frames.get(key) === entry) this.#frames.delete(key)
    })
    return entry.made
  }

  /** Frees everything: called when no client has joined for a while. */
  clear (): void {
    this.#frames.clear()
    this.#bytes = 0
  }

  #added (key: string, entry: { bytes: number }, frame: Buffer): void {
    // The cache was cleared meanwhile, and the frame may have been made again.
    if (this.#frames.get(key) !== entry) return
    entry.bytes = frame.length
    this.#bytes += frame.length
    if (this.#bytes <= maxBytes) return
    // The oldest are dropped; a client that still needs one reads it again.
    for (const [oldest, { bytes }] of this.#frames) {
      if (this.#bytes <= maxBytes / 2) break
      this.#frames.delete(oldest)
      this.#bytes -= bytes
    }
  }
}
