/** Bytes of answers that can wait on a socket that is behind. A client that keeps asking without reading is closed. */
const maxUnreadBytes = 128 * 1024

/** Counts the answers that wait on a socket whose client does not read. Documents that share the socket share it. */
export class UnreadAnswers {
  #bytes = 0

  /** @param isBehind whether too much waits on the socket already. @returns whether the answer can be written */
  add (bytes: number, isBehind: boolean): boolean {
    this.#bytes = isBehind ? this.#bytes + bytes : 0
    return this.#bytes <= maxUnreadBytes
  }
}
