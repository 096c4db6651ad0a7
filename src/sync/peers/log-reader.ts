import type { OutageLog } from '../../logging/outage-log.ts'
import { BoundedQueue } from '../../queue/bounded-queue.ts'
import { SnapshotReplaced } from '../save/stored-documents.ts'

/** The stored log of one open room. */
export interface ReadableLog {
  readonly name: string
  readonly isOpen: boolean
  /** Engine time in ms when it was last read */
  readonly readAt: number
  /** Adds to the room what other nodes have stored. */
  read (): Promise<void>
}

/** The logs that a LogReader keeps up to date, and how often it reads them. */
export interface LogReaderOptions {
  /** The logs of the rooms that are open. */
  logs (): Iterable<ReadableLog>
  /** ms after which each log is read without a request; 0 = never */
  readEveryMs (): number
  readonly outages: OutageLog
  /** Engine time in ms */
  now (): number
}

/** Documents read at a time: a thousand rooms that are all behind must not take every connection to the store. */
const maxRunning = 4
/** ms between two checks for logs that are due or could not be read. */
const lookEveryMs = 1000
/** Logs that one check reads because they are due, at most. */
const maxDue = 100

/** Adds to rooms what other nodes have stored: at once to those that are behind, at intervals to every room. */
export class LogReader {
  readonly #options: LogReaderOptions
  readonly #turns: BoundedQueue
  readonly #waiting = new Set<ReadableLog>()
  #failed: ReadableLog[] = []
  readonly #timer: NodeJS.Timeout
  #isStopped = false

  constructor (options: LogReaderOptions) {
    this.#options = options
    this.#turns = new BoundedQueue({ maxRunning, maxWaiting: Infinity, maxWaitMs: Infinity, now: options.now })
    this.#timer = setInterval(() => { this.#look() }, lookEveryMs)
    this.#timer.unref()
  }

  /** Reads a log once those requested before it have been read. */
  request (log: ReadableLog): void {
    if (this.#waiting.has(log)) return
    this.#waiting.add(log)
    this.#turns.run(() => this.#read(log)).catch((error: unknown) => { this.#readFailed(log, error) })
  }

  /** Reads nothing more. */
  stop (): void {
    clearInterval(this.#timer)
    this.#isStopped = true
  }

  async #read (log: ReadableLog): Promise<void> {
    this.#waiting.delete(log)
    if (log.isOpen && !this.#isStopped) await log.read()
  }

  #readFailed (log: ReadableLog, error: unknown): void {
    const { outages } = this.#options
    const details = { room: log.name }
    // The next attempt reads the new snapshot.
    if (!(error instanceof SnapshotReplaced)) {
      outages.report('warn', 'Failed to read what other nodes have stored; retrying', error, details)
    }
    this.#failed.push(log)
  }

  #look (): void {
    for (const log of this.#failed.splice(0)) this.request(log)
    const readEveryMs = this.#options.readEveryMs()
    if (readEveryMs === 0) return
    const before = this.#options.now() - readEveryMs
    let due = maxDue - this.#waiting.size
    for (const log of this.#options.logs()) {
      if (due <= 0) return
      if (!log.isOpen || log.readAt > before) continue
      this.request(log)
      due--
    }
  }
}
