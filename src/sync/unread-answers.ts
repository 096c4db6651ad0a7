/** Bytes of answers that may wait on a socket that is behind; whoever asks on and reads none of them is closed. */
const maxUnreadBytes = 128 * 1024

/** Counts the answers that wait on a socket whose client asks but does not read. Documents that share the socket share it. */
export class UnreadAnswers {
  #bytes = 0

  /** @param isBehind whether the socket has more to take than it should. @returns whether the answer may be written */
  add (bytes: number, isBehind: boolean): boolean {
    this.#bytes = isBehind ? this.#bytes + bytes : 0
    return this.#bytes <= maxUnreadBytes
  }
}
