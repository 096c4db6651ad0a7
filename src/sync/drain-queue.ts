/**
 * Those who wait until a socket has taken everything, in order. Each is let go with the socket empty, and the next one not
 * before the first has written: 200 documents on one socket that is behind would otherwise all write at the same moment.
 */
export class DrainQueue {
  readonly #empty: () => Promise<void>
  #ahead: Promise<unknown> = Promise.resolve()

  /** @param empty resolves when the socket is empty or closed; never rejects */
  constructor (empty: () => Promise<void>) {
    this.#empty = empty
  }

  /** Resolves when it is the caller's turn. What the caller then writes must be written before the next turn of the event loop. */
  wait (): Promise<void> {
    const turn = this.#ahead.then(this.#empty)
    this.#ahead = turn.then(() => new Promise((resolve) => { setImmediate(resolve) }))
    return turn
  }
}
