/** Bytes of answers that can wait on a full socket. A client that keeps asking without reading is disconnected. */
const maxUnreadBytes = 128 * 1024

/** Counts the answers that wait on a socket whose client does not read. Documents that share the socket share it. */
export class UnreadAnswers {
  #bytes = 0

  /** @param isFull whether the socket is full already. @returns whether the answer can be written */
  add (bytes: number, isFull: boolean): boolean {
    this.#bytes = isFull ? this.#bytes + bytes : 0
    return this.#bytes <= maxUnreadBytes
  }
}
