import type { Logger } from '../../logging/logger.ts'
import { OutageLog } from '../../logging/outage-log.ts'
import { watchCommits, type CommitFailure } from './commits.ts'
import { Draft, newDocumentCache, type LmdbTree } from './transaction.ts'
import type { LmdbHeadroom } from './headroom.ts'

/** When a write counts as safe: it survives our process (the system has it), or the machine (the disk has it). */
export type LmdbSync = 'process' | 'fsync'

/**
 * Transactions on their way at once: one that is being written and two that wait for the disk. Each holds one of
 * libuv's four threads while it waits, and the rest of the process needs one too.
 */
const MAX_UNSYNCED = 3

/** A piece of work that was handed in. */
interface Task {
  /** Does its part of the transaction. @returns what to call once that is safe */
  readonly prepare: (draft: Draft) => () => void
  readonly fail: (error: unknown) => void
}

/** A transaction on its way. */
interface Group {
  readonly settle: () => void
  readonly fail: (error: Error) => void
}

/**
 * The one who writes. What is handed in while a transaction is on its way forms the next one, so the more there is
 * to do the more goes into each; the work of committing is done off the event loop.
 */
export class LmdbWriter {
  readonly #tree: LmdbTree
  readonly #headroom: LmdbHeadroom
  readonly #sync: LmdbSync
  readonly #outages: OutageLog
  readonly #commit: ReturnType<typeof watchCommits>
  readonly #cache = newDocumentCache()
  #waiting: Task[] = []
  #scheduled = false
  /** A transaction is not yet visible: the next could not see what it wrote. */
  #committing = false
  #unsynced = 0
  #broken: Error | undefined
  #closed = false
  #whenIdle: (() => void) | undefined

  constructor (tree: LmdbTree, headroom: LmdbHeadroom, sync: LmdbSync, logger: Logger) {
    this.#tree = tree
    this.#headroom = headroom
    this.#sync = sync
    this.#outages = new OutageLog(logger, () => performance.now())
    this.#commit = watchCommits(tree)
  }

  /**
   * Does a piece of work in the next transaction, alone or with others, in the order of the calls. `work` must not
   * wait. Rejects with what `work` throws, or with the reason why nothing of the transaction could be stored.
   */
  transact<Result> (work: (draft: Draft) => Result): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error('The store is closed'))
    if (this.#broken) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        prepare: (draft) => {
          const result = draft.run(work)
          return () => resolve(result)
        },
        fail: reject,
      })
      this.#schedule()
    })
  }

  /** Resolves when everything that was handed in is done and on the disk; takes nothing more. */
  async close (): Promise<void> {
    this.#closed = true
    if (!this.#idle) await new Promise<void>((resolve) => { this.#whenIdle = resolve })
    await this.#headroom.close()
  }

  /** Makes the file as short as it may be; to be called when nothing is on its way. */
  async trim (): Promise<void> {
    await this.#headroom.trim()
  }

  get #idle (): boolean {
    return !this.#scheduled && !this.#committing && this.#unsynced === 0
  }

  #schedule (): void {
    if (this.#scheduled || this.#committing || this.#unsynced >= MAX_UNSYNCED || this.#waiting.length === 0) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#begin()
    })
  }

  #begin (): void {
    const draft = new Draft(this.#tree, this.#cache)
    const group = prepareGroup(draft, this.#waiting.splice(0))
    if (draft.size === 0) {
      group.settle()
      this.#goOn()
      return
    }
    this.#committing = true
    const growing = this.#headroom.reserve(draft.plan)
    if (growing) {
      growing.then(() => this.#write(draft, group), (error: Error) => {
        this.#committing = false
        const failure = new Error(`The store could not write: ${error.message}`, { cause: error })
        this.#outages.report('error', 'The data file could not grow', error)
        group.fail(failure)
        this.#goOn()
      })
    } else this.#write(draft, group)
  }

  #write (draft: Draft, group: Group): void {
    this.#unsynced++
    let acknowledged = false
    this.#commit(draft.writes, {
      visible: () => {
        draft.remember()
        this.#committing = false
        acknowledged = this.#sync === 'process'
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
        group.fail(new Error(`The store could not write: ${failure.message}`, { cause: failure }))
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
    const event = acknowledged ? 'What was written could not be synced to the disk' : 'A transaction could not be stored'
    // An event of its own: it must not pass for a repetition of one that the store survives.
    this.#outages.report('error', isBroken ? `${event}; the store takes no more writes until the service restarts` : event, failure, { acknowledged })
    if (!isBroken) return
    this.#broken = new Error('The store takes no more writes since one failed half-way; the service must be restarted', { cause: failure })
    for (const { fail } of this.#waiting.splice(0)) fail(this.#broken)
  }
}

/** Lets each do its part; who throws is told at once and is no part of the group. */
function prepareGroup (draft: Draft, tasks: readonly Task[]): Group {
  const settlers: (() => void)[] = []
  const failers: Task['fail'][] = []
  for (const { prepare, fail } of tasks) {
    try {
      settlers.push(prepare(draft))
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
