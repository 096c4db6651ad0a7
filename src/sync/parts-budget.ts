/**
 * Parts that one socket can send at once. A part is what costs time whatever its size: a client, a run or a delete
 * range of an update, an entry of a state vector, a state of an awareness message. A document at its bounds has 315,536
 * (65,536 clients, 250,000 delete ranges), and a page that was offline sends all of them when it reconnects.
 */
export const partsAtOnce = 500_000
/**
 * Parts that are added to the budget each second: a busy editor sends about 50, a program that writes 5,000 updates
 * some 15,000, and 20,000 cost the event loop about 4 ms.
 */
const partsPerSecond = 20_000

/** Limits what a socket sends by its parts: neither bytes nor messages show what a frame costs. */
export class PartsBudget {
  #left = partsAtOnce
  #at: number

  /** @param now engine time in ms */
  constructor (now: number) {
    this.#at = now
  }

  /** @returns false if the socket has sent too much */
  spend (parts: number, now: number): boolean {
    this.#left = Math.min(partsAtOnce, this.#left + (now - this.#at) / 1000 * partsPerSecond) - parts
    this.#at = now
    return this.#left >= 0
  }
}
