import type { Durations } from '../../logging/durations.ts'
import type { Logger } from '../../logging/logger.ts'
import { causeOf } from '../../logging/outage-log.ts'
import type { LogEntry, Store } from '../../store/store.ts'

/** One update of one room that waits for the store. */
export interface Unsaved {
  readonly entry: LogEntry
  /** Called once, when the store has it */
  saved (seq: number): void
  /** Called instead, if its document was deleted and it is not stored */
  rejected (): void
}

/** Entries of one transaction, at most: enough to share its cost, few enough to keep its delay short. */
const maxBatchEntries = 2000
const maxBatchBytes = 8 * 1024 * 1024
/**
 * ms from the start of one transaction to the start of the next, at least. A commit costs about 0.4 ms of processor
 * time in all threads, even a small one; a thousand a second would cost more than all the forwarding. An update after a
 * quiet time is stored at once.
 */
const spacingMs = 100
const firstRetryMs = 50
const lastRetryMs = 5000

/**
 * Stores updates: one batch at a time, and everything that arrives meanwhile in the next one. A failed batch is
 * retried, document by document, until it succeeds; no update is ever dropped. The bytes that wait are counted, so that
 * rooms can disconnect writers before memory runs out.
 */
export class Saver {
  readonly #store: Pick<Store, 'append'>
  readonly #logger: Logger
  readonly #now: () => number
  readonly #commits: Durations
  #startedAt = -Infinity
  #queue: Unsaved[] = []
  #bytes = 0
  #running: Promise<void> | undefined
  #failingSince: number | undefined
  #scheduled = false
  #wake: (() => void) | undefined
  #isHurried = false

  /**
   * @param now engine time in ms
   * @param commits counts each transaction
   */
  constructor (store: Pick<Store, 'append'>, logger: Logger, now: () => number, commits: Durations) {
    this.#commits = commits
    this.#store = store
    this.#logger = logger
    this.#now = now
  }

  /** Bytes of all updates that are not stored yet. */
  get unsavedBytes (): number { return this.#bytes }

  /** ms since the epoch of the first of the current failures; undefined while updates are stored. */
  get failingSince (): number | undefined { return this.#failingSince }

  add (unsaved: Unsaved): void {
    this.#queue.push(unsaved)
    this.#bytes += unsaved.entry.update.length
    if (this.#running !== undefined || this.#scheduled) return
    // Rooms that tick in the same turn of the event loop share a transaction.
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#running ??= this.#run()
    })
  }

  /** Resolves when all updates are stored, including those that are added meanwhile. */
  async flush (): Promise<void> {
    while (this.#scheduled || this.#running !== undefined) {
      await (this.#running ?? Promise.resolve())
    }
  }

  /** Shortens the pauses between two transactions or attempts from now on: for a process that stops. */
  hurry (): void {
    this.#isHurried = true
    this.#wake?.()
  }

  async #run (): Promise<void> {
    while (this.#queue.length > 0) {
      const waitMs = this.#startedAt + spacingMs - this.#now()
      if (waitMs > 0) await this.#pause(waitMs)
      this.#startedAt = this.#now()
      const batch = takeBatch(this.#queue)
      if (!await this.#append(batch)) await this.#retry(batch)
    }
    this.#running = undefined
  }

  async #append (batch: readonly Unsaved[]): Promise<boolean> {
    const startedAt = this.#now()
    let seqs: readonly number[]
    try {
      seqs = await this.#store.append(batch.map((unsaved) => unsaved.entry))
    } catch (error) {
      if (this.#failingSince === undefined) {
        const details = { ...causeOf(error), entries: batch.length }
        this.#logger.error(details, 'Failed to store updates; they stay in memory, retrying')
      }
      this.#failingSince ??= Date.now()
      return false
    } finally {
      this.#commits.observe(this.#now() - startedAt)
    }
    batch.forEach((unsaved, i) => {
      this.#bytes -= unsaved.entry.update.length
      const seq = seqs[i] as number // the store returns one number for each entry
      if (seq > 0) unsaved.saved(seq)
      else unsaved.rejected()
    })
    return true
  }

  /** Retries document by document, so that the fault of one does not delay the others, until nothing waits. */
  async #retry (batch: readonly Unsaved[]): Promise<void> {
    const waiting = new Map<string, Unsaved[]>()
    addByDocument(waiting, batch)
    for (let delayMs = firstRetryMs; waiting.size > 0;) {
      await this.#pause(delayMs)
      addByDocument(waiting, this.#queue.splice(0))
      // While the store takes anything, the fault of one document must not delay the others more and more.
      delayMs = await this.#tryEach(waiting) ? firstRetryMs : Math.min(2 * delayMs, lastRetryMs)
    }
    this.#failingSince = undefined
    this.#logger.info({}, 'The store takes updates again')
  }

  /** @returns whether the store has taken any of them */
  async #tryEach (waiting: Map<string, Unsaved[]>): Promise<boolean> {
    let failuresInARow = 0
    let anyTaken = false
    for (const [document, unsaved] of [...waiting]) {
      const batch = takeBatch(unsaved)
      if (await this.#append(batch)) {
        failuresInARow = 0
        anyTaken = true
        if (unsaved.length === 0) waiting.delete(document)
      } else {
        unsaved.unshift(...batch)
        // To the end: next time, documents without a fault come first.
        waiting.delete(document)
        waiting.set(document, unsaved)
        // Two documents in a row: the store is down, and requests for each of a thousand rooms would not help.
        if (++failuresInARow === 2) return anyTaken
      }
    }
    return anyTaken
  }

  #pause (ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, this.#isHurried ? Math.min(ms, firstRetryMs) : ms)
      this.#wake = done
    })
  }
}

function takeBatch (queue: Unsaved[]): Unsaved[] {
  let bytes = 0
  let count = 0
  for (const { entry } of queue) {
    if (count === maxBatchEntries || (count > 0 && bytes + entry.update.length > maxBatchBytes)) break
    bytes += entry.update.length
    count++
  }
  return queue.splice(0, count)
}

function addByDocument (waiting: Map<string, Unsaved[]>, added: readonly Unsaved[]): void {
  for (const unsaved of added) {
    const group = waiting.get(unsaved.entry.document)
    if (group === undefined) waiting.set(unsaved.entry.document, [unsaved])
    else group.push(unsaved)
  }
}
