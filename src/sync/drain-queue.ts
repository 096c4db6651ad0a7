/**
 * Lets callers wait, in order, until a socket has taken everything. Each caller finds the socket empty, and the next
 * one waits until that one has written: otherwise 200 documents on a slow socket would all write at the same moment.
 */
export class DrainQueue {
  readonly #empty: () => Promise<void>
  #ahead: Promise<unknown> = Promise.resolve()

  /** @param empty resolves when the socket is empty or closed; never rejects */
  constructor (empty: () => Promise<void>) {
    this.#empty = empty
  }

  /** Resolves when it is the caller's turn, which lasts until the next turn of the event loop. */
  wait (): Promise<void> {
    const turn = this.#ahead.then(this.#empty)
    this.#ahead = turn.then(() => new Promise((resolve) => { setImmediate(resolve) }))
    return turn
  }
}
