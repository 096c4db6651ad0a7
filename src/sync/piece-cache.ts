/** Enough for a few large documents being joined by many at once. */
const maxBytes = 32 * 1024 * 1024

/**
 * Frames that many joiners of one document are sent in turn. Reading and framing a piece once serves all who are
 * about as far; nothing stays for longer than joining takes.
 */
export class PieceCache {
  #frames = new Map<string, Promise<Buffer>>()
  #bytes = 0

  /** @param make called where the frame is not here; its failure is not kept */
  get (key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const here = this.#frames.get(key)
    if (here !== undefined) return here
    const made = make()
    this.#frames.set(key, made)
    made.then((frame) => { this.#added(frame) }, () => { this.#frames.delete(key) })
    return made
  }

  /** Lets go of everything: called when nobody has joined for a while. */
  clear (): void {
    this.#frames.clear()
    this.#bytes = 0
  }

  #added (frame: Buffer): void {
    this.#bytes += frame.length
    if (this.#bytes <= maxBytes) return
    // The oldest half goes; those who still need a piece of it read it again.
    const keys = [...this.#frames.keys()]
    for (const key of keys.slice(0, Math.ceil(keys.length / 2))) this.#frames.delete(key)
    this.#bytes /= 2
  }
}
