import type { Logger } from '../../logging/logger.ts'
import { OutageLog } from '../../logging/outage-log.ts'
import { watchCommits, type CommitFailure } from './commits.ts'
import type { DocumentCache } from './document-cache.ts'
import type { Headroom } from './headroom.ts'
import { Transaction } from './transaction.ts'
import type { LmdbTree } from './tree.ts'

/** What an acknowledged write survives: a crash of this process, or a power cut too. */
export type LmdbSync = 'process' | 'fsync'

/**
 * Concurrent transactions: one that is being written and two that wait for the disk. Each occupies one of libuv's four
 * threads while it waits, and the rest of the process needs one too.
 */
const maxUnsynced = 3

/** An operation that waits for its transaction. */
interface Task {
  /** Adds its writes to the transaction. @returns a function to call once they are safe */
  readonly prepare: (transaction: Transaction) => () => void
  readonly fail: (error: unknown) => void
}

/** What a writer continues, and whom it tells. */
export interface WriterOptions {
  readonly sync: LmdbSync
  readonly logger: Logger
  /** Has the documents of the journal */
  readonly cache: DocumentCache
  /** The number of the last commit in the journal */
  readonly lastCommit: number
  /** Called when readers see a record of the journal. @param bytes its length */
  readonly journaled: (commit: number, bytes: number) => void
}

/** The tasks of one transaction. */
interface Group {
  readonly settle: () => void
  readonly fail: (error: Error) => void
}

/**
 * The only writer of a data file. Operations that arrive during a transaction form the next one, so transactions grow
 * with the load; commits run off the event loop.
 */
export class Writer {
  readonly #tree: LmdbTree
  readonly #headroom: Headroom
  readonly #options: WriterOptions
  readonly #outages: OutageLog
  readonly #commit: ReturnType<typeof watchCommits>
  #lastCommit: number
  #waiting: Task[] = []
  #scheduled = false
  /** Whether a transaction is not visible yet, so that the next one could not see its writes. */
  #committing = false
  #unsynced = 0
  #broken: Error | undefined
  #closed = false
  #whenIdle: (() => void) | undefined

  constructor (tree: LmdbTree, headroom: Headroom, options: WriterOptions) {
    this.#tree = tree
    this.#headroom = headroom
    this.#options = options
    this.#lastCommit = options.lastCommit
    this.#outages = new OutageLog(options.logger, () => performance.now())
    this.#commit = watchCommits(tree)
  }

  /**
   * Runs an operation in the next transaction, alone or with others, in the order of the calls.
   * @param operation synchronous
   * @returns its result, once the transaction is safe; rejects with the error that the operation throws, or with the
   * reason why nothing of the transaction could be stored
   */
  transact<Result> (operation: (transaction: Transaction) => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error('The store is closed'))
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        prepare: (transaction) => {
          const result = transaction.run(operation)
          return () => resolve(result)
        },
        fail: reject,
      })
      this.#schedule()
    })
  }

  /** Accepts no further operation. Resolves once all earlier ones are on the disk. */
  async close (): Promise<void> {
    this.#closed = true
    if (!this.#idle) await new Promise<void>((resolve) => { this.#whenIdle = resolve })
    await this.#headroom.close()
  }

  /** Makes the file as short as possible. Call it while no operation is pending. */
  async trim (): Promise<void> {
    await this.#headroom.trim()
  }

  get #idle (): boolean {
    return !this.#scheduled && !this.#committing && this.#unsynced === 0
  }

  #schedule (): void {
    if (this.#scheduled || this.#committing || this.#unsynced >= maxUnsynced || this.#waiting.length === 0) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#begin()
    })
  }

  #begin (): void {
    const transaction = new Transaction(this.#tree, this.#options.cache)
    const group = prepareGroup(transaction, this.#waiting.splice(0))
    transaction.writeJournal(++this.#lastCommit)
    if (transaction.size === 0) {
      group.settle()
      this.#goOn()
      return
    }
    this.#committing = true
    const growing = this.#headroom.reserve(transaction.plan)
    if (growing) {
      growing.then(() => this.#write(transaction, group), (error: Error) => {
        this.#committing = false
        const failure = new Error(`Failed to write to the store: ${error.message}`, { cause: error })
        this.#outages.report('error', 'Failed to extend the data file', error)
        group.fail(failure)
        this.#goOn()
      })
    } else this.#write(transaction, group)
  }

  #write (transaction: Transaction, group: Group): void {
    this.#unsynced++
    let acknowledged = false
    this.#commit(transaction.writes, {
      visible: () => {
        transaction.remember()
        this.#committing = false
        if (transaction.journalBytes > 0) this.#options.journaled(transaction.commit, transaction.journalBytes)
        acknowledged = this.#options.sync === 'process'
        if (acknowledged) group.settle()
        this.#schedule()
      },
      synced: () => {
        if (!acknowledged) group.settle()
        this.#unsynced--
        this.#goOn()
      },
      failed: (failure) => {
        this.#committing = false
        this.#unsynced--
        group.fail(new Error(`Failed to write to the store: ${failure.message}`, { cause: failure }))
        this.#report(failure, acknowledged)
        this.#goOn()
      },
    })
  }

  #goOn (): void {
    this.#schedule()
    if (this.#idle) this.#whenIdle?.()
  }

  #report (failure: CommitFailure, acknowledged: boolean): void {
    const isBroken = failure.fatal || failure.visible
    const event = acknowledged ? 'Failed to sync acknowledged writes to the disk' : 'Failed to store a transaction'
    // A text of its own, so that it is not suppressed as a repetition of a failure that the store survives.
    this.#outages.report('error', isBroken ? `${event}; the store rejects all writes until the service restarts` : event, failure, { acknowledged })
    if (!isBroken) return
    this.#broken = new Error('The store rejects all writes because one failed half-way: restart the service', { cause: failure })
    for (const { fail } of this.#waiting.splice(0)) fail(this.#broken)
  }
}

/** Runs the operations of all tasks. A task whose operation throws fails at once and leaves the group. */
function prepareGroup (transaction: Transaction, tasks: readonly Task[]): Group {
  const settlers: (() => void)[] = []
  const failers: Task['fail'][] = []
  for (const { prepare, fail } of tasks) {
    try {
      settlers.push(prepare(transaction))
      failers.push(fail)
    } catch (error) {
      fail(error)
    }
  }
  return {
    settle: () => { for (const settle of settlers) settle() },
    fail: (error) => { for (const fail of failers) fail(error) },
  }
}
