/** How much one socket can send. 0 = no limit. */
export interface Rates {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** Seconds' worth of both that can arrive at once */
  readonly burstSeconds: number
}

/** Limits what a socket sends by two buckets that fill as time passes. The sessions close a socket that exceeds it. */
export class RateLimit {
  readonly #rates: Rates
  #messages: number
  #bytes: number
  #at: number

  constructor (rates: Rates, now: number) {
    this.#rates = rates
    this.#messages = rates.messagesPerSecond * rates.burstSeconds
    this.#bytes = rates.bytesPerSecond * rates.burstSeconds
    this.#at = now
  }

  /** Counts a message. @returns false if it is one too many */
  take (bytes: number, now: number): boolean {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#rates
    const seconds = (now - this.#at) / 1000
    this.#at = now
    this.#messages = Math.min(messagesPerSecond * burstSeconds, this.#messages + seconds * messagesPerSecond) - 1
    this.#bytes = Math.min(bytesPerSecond * burstSeconds, this.#bytes + seconds * bytesPerSecond) - bytes
    return (messagesPerSecond === 0 || this.#messages >= 0) && (bytesPerSecond === 0 || this.#bytes >= 0)
  }
}
