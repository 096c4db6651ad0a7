/** Enough for a few large documents being joined by many at once. */
const maxBytes = 32 * 1024 * 1024

/**
 * Frames that many joiners of one document are sent in turn. Reading and framing a piece once serves all who are
 * about as far; nothing stays for longer than joining takes.
 */
export class PieceCache {
  #frames = new Map<string, { readonly made: Promise<Buffer>, bytes: number }>()
  #bytes = 0

  /** @param make called where the frame is not here; its failure is not kept */
  get (key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const here = this.#frames.get(key)
    if (here !== undefined) return here.made
    const entry = { made: make(), bytes: 0 }
    this.#frames.set(key, entry)
    entry.made.then((frame) => { this.#added(key, entry, frame) }, () => { if (this.#frames.get(key) === entry) this.#frames.delete(key) })
    return entry.made
  }

  /** Lets go of everything: called when nobody has joined for a while. */
  clear (): void {
    this.#frames.clear()
    this.#bytes = 0
  }

  #added (key: string, entry: { bytes: number }, frame: Buffer): void {
    // Cleared meanwhile, and perhaps made anew.
    if (this.#frames.get(key) !== entry) return
    entry.bytes = frame.length
    this.#bytes += frame.length
    if (this.#bytes <= maxBytes) return
    // The oldest go; those who still need a piece of them read it again.
    for (const [oldest, { bytes }] of this.#frames) {
      if (this.#bytes <= maxBytes / 2) break
      this.#frames.delete(oldest)
      this.#bytes -= bytes
    }
  }
}
