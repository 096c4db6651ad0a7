import type { Epochs } from '../access/epochs.ts'
import { recheck } from '../access/recheck.ts'
import type { Allowed } from '../access/verdict.ts'
import type { Logger } from '../logging/logger.ts'
import { closes } from '../protocol/close-codes.ts'
import type { Connection } from '../sync/connection.ts'

interface Held {
  verdict: Allowed
  /** Engine time in ms */
  dueAt: number
  isRunning: boolean
}

/** The interval of the rechecks, the resets that they obey, and their effect. */
export interface RechecksOptions {
  /** ms between two checks of one connection; 0 = only tickets are checked, when they expire */
  readonly everyMs: number
  readonly epochs: Epochs
  readonly logger: Logger
  /** Engine time in ms, monotonic */
  now (): number
  /** Called when a connection that stays open has other rights or another user than before */
  onRights (connection: Connection, formerUserId: string | undefined): void
}

/** ms between two checks for connections that are due. */
const lookEveryMs = 1000

/** Checks at intervals whether open connections still have access. */
export class Rechecks {
  readonly #options: RechecksOptions
  readonly #held = new Map<Connection, Held>()
  readonly #timer: NodeJS.Timeout

  constructor (options: RechecksOptions) {
    this.#options = options
    this.#timer = setInterval(() => { this.look() }, lookEveryMs)
    this.#timer.unref()
  }

  add (connection: Connection, verdict: Allowed): void {
    if (verdict.recheck === undefined) return
    this.#held.set(connection, { verdict, dueAt: this.#dueAt(verdict, true), isRunning: false })
  }

  /** Replaces the verdict that has admitted the connection, or the one that replaced it before. */
  replace (connection: Connection, verdict: Allowed): void {
    this.delete(connection)
    this.add(connection, verdict)
  }

  delete (connection: Connection): void {
    this.#held.delete(connection)
  }

  /** Checks all connections that are due. */
  look (): void {
    const now = this.#options.now()
    for (const [connection, held] of this.#held) {
      if (held.dueAt > now || held.isRunning) continue
      held.isRunning = true
      this.#recheck(connection, held)
        .catch((error: unknown) => { this.#options.logger.error({ err: error }, 'Failed to recheck the access of a connection') })
        .finally(() => {
          held.isRunning = false
          held.dueAt = this.#dueAt(held.verdict, false)
        })
    }
  }

  stop (): void {
    clearInterval(this.#timer)
    this.#held.clear()
  }

  async #recheck (connection: Connection, held: Held): Promise<void> {
    const result = await recheck(held.verdict)
    // Meanwhile the client can have left, or renewed its access.
    if (this.#held.get(connection) !== held) return
    if (result.change === 'lost') {
      const { code, reason, rule } = result.verdict
      connection.end({ code, reason, rule })
    }
    if (result.change !== 'rights') return
    const { epoch, userId } = result.verdict
    // Another user now, who was reset meanwhile.
    if (!this.#options.epochs.isCurrent(epoch, connection.room?.name ?? '', userId)) return connection.end(closes.reset)
    held.verdict = result.verdict
    const formerUserId = connection.userId
    connection.takeOver(result.verdict)
    this.#options.onRights(connection, formerUserId)
  }

  /** At first spread over the interval, so that clients that connected together are not checked together. */
  #dueAt ({ expiresAt }: Allowed, isFirst: boolean): number {
    const { everyMs, now } = this.#options
    const periodic = everyMs === 0 ? Infinity : now() + everyMs * (isFirst ? 0.5 + Math.random() / 2 : 1)
    const expiry = expiresAt === undefined ? Infinity : now() + Math.max(0, expiresAt - Date.now())
    return Math.min(periodic, expiry)
  }
}
