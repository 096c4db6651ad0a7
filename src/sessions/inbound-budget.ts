import type { Logger } from '../logging/logger.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'

/** A socket whose messages are held because they are incomplete or wait for a verdict. */
export interface Sender {
  /** User id; all anonymous clients together count as one user */
  readonly owner: string | undefined
  /** ms since its incomplete message last made progress; 0 if that does not depend on the client */
  stalledMs (now: number): number
  /** Closes the socket and frees what it holds. */
  cut (reason: CloseReason): void
}

/** The limit of a budget, its log and its clock. */
export interface InboundBudgetOptions {
  /** Bytes that all sockets together can hold */
  readonly maxBytes: number
  readonly logger: Logger
  /** Engine time in ms, monotonic */
  now (): number
}

/** ms between two checks of incomplete messages. */
const sweepEveryMs = 5000
/** ms in which a message must make progress: with the sweep, a stalled one is closed within 50 s. */
const maxStallMs = 45_000
/** ms without progress after which a sender is closed first when memory is short; at 1 Mbit/s it takes 13 s. */
const stalledFirstMs = 15_000
/** Bytes up to which a sender (one read of a TCP stream) is closed last. */
const smallBytes = 64 * 1024
/** Closing stops at this share of the budget, so that the senders are sorted once for many that are closed. */
const lowWater = 7 / 8

/**
 * Counts the bytes of messages that are incomplete or wait for a verdict, and closes sockets that hold too much or take
 * too long.
 */
export class InboundBudget {
  readonly #options: InboundBudgetOptions
  readonly #held = new Map<Sender, number>()
  readonly #timer: NodeJS.Timeout
  #total = 0

  constructor (options: InboundBudgetOptions) {
    this.#options = options
    this.#timer = setInterval(() => { this.sweep(options.now()) }, sweepEveryMs)
    this.#timer.unref()
  }

  /** Bytes held for all sockets */
  get total (): number { return this.#total }

  /** Sets how many bytes a sender holds. Closes senders, possibly this one, if that is too much. */
  set (sender: Sender, bytes: number): void {
    const { maxBytes } = this.#options
    this.#total += bytes - (this.#held.get(sender) ?? 0)
    if (bytes === 0) this.#held.delete(sender)
    else this.#held.set(sender, bytes)
    if (bytes > maxBytes) this.#cut(sender, closes.tooMany)
    else if (this.#total > maxBytes) this.#makeRoom()
  }

  /** Closes senders whose message makes no progress. Called every few seconds. */
  sweep (now: number): void {
    for (const sender of this.#held.keys()) if (sender.stalledMs(now) > maxStallMs) this.#cut(sender, closes.unfinished)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  #makeRoom (): void {
    const { maxBytes, logger } = this.#options
    const before = this.#total
    let closed = 0
    for (const sender of this.#inOrder()) {
      if (this.#total <= maxBytes * lowWater) break
      this.#cut(sender, closes.unavailable)
      closed++
    }
    logger.warn({ closed, bytes: before }, 'Unfinished messages exceeded MAX_UNFINISHED_BYTES; closed the sockets that held most')
  }

  /** Stalled senders first, then those of the user who holds most, with the least progress first; small ones last. */
  #inOrder (): Sender[] {
    const now = this.#options.now()
    const ofOwner = new Map<string | undefined, number>()
    for (const [{ owner }, bytes] of this.#held) ofOwner.set(owner, (ofOwner.get(owner) ?? 0) + bytes)
    return [...this.#held]
      .map(([sender, bytes]) => ({
        sender,
        isSmall: bytes <= smallBytes,
        stalledMs: sender.stalledMs(now),
        ofOwner: ofOwner.get(sender.owner) ?? 0,
      }))
      .sort((a, b) =>
        Number(a.isSmall) - Number(b.isSmall) ||
        Number(b.stalledMs > stalledFirstMs) - Number(a.stalledMs > stalledFirstMs) ||
        b.ofOwner - a.ofOwner ||
        b.stalledMs - a.stalledMs)
      .map(({ sender }) => sender)
  }

  #cut (sender: Sender, reason: CloseReason): void {
    this.set(sender, 0)
    sender.cut(reason)
  }
}
