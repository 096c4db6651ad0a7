import type { Logger } from '../logger.ts'
import { Draft, type LmdbTree } from './lmdb-draft.ts'
import { watchCommits } from './lmdb-commits.ts'

/** When a write counts as safe: it survives our process (the system has it), or the machine (the disk has it). */
export type LmdbSync = 'process' | 'fsync'

/**
 * Transactions on their way at once: one that is being written and two that wait for the disk. Each holds one of
 * libuv's four threads while it waits, and the rest of the process needs one too.
 */
const MAX_UNSYNCED = 3

interface Task {
  /** Does its part of the transaction, and says how to settle once that is safe. */
  readonly prepare: (draft: Draft) => Settle
  readonly fail: (error: unknown) => void
}

type Settle = () => void

/**
 * The one who writes. What is handed in while a transaction is on its way forms the next one, so the more there is
 * to do the more goes into each; the work of committing is done off the event loop.
 */
export class LmdbWriter {
  readonly #tree: LmdbTree
  readonly #sync: LmdbSync
  readonly #logger: Logger
  readonly #commit: ReturnType<typeof watchCommits>
  #waiting: Task[] = []
  #scheduled = false
  #committing = false
  #unsynced = 0
  #broken: Error | undefined
  #closed = false
  #idle: (() => void) | undefined

  constructor (tree: LmdbTree, sync: LmdbSync, logger: Logger) {
    this.#tree = tree
    this.#sync = sync
    this.#logger = logger
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
    if (this.#scheduled || this.#committing || this.#unsynced > 0) await new Promise<void>((resolve) => { this.#idle = resolve })
  }

  #schedule (): void {
    if (this.#scheduled || this.#committing || this.#unsynced >= MAX_UNSYNCED) return
    if (this.#waiting.length === 0) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #next (): void {
    const draft = new Draft(this.#tree)
    const group: { settle: Settle, fail: Task['fail'] }[] = []
    for (const { prepare, fail } of this.#waiting.splice(0)) {
      try {
        group.push({ settle: prepare(draft), fail })
      } catch (error) {
        fail(error)
      }
    }
    const settleAll = () => { for (const { settle } of group) settle() }
    const failAll = (error: Error) => { for (const { fail } of group) fail(error) }
    if (draft.size === 0) {
      settleAll()
      this.#rest()
      return
    }
    this.#committing = true
    this.#unsynced++
    let safe = false
    const { visible, synced } = this.#commit(draft.writes)
    const becomeVisible = () => {
      this.#committing = false
      if (this.#sync === 'process') {
        safe = true
        settleAll()
      }
      this.#schedule()
    }
    visible.then(becomeVisible, () => {})
    synced.then(
      () => { if (!safe) settleAll() },
      (failure: CommitFailure) => {
        this.#committing = false
        failAll(this.#explain(failure, safe))
      }
    ).finally(() => {
      this.#unsynced--
      this.#rest()
    })
  }

  #explain (failure: CommitFailure, acknowledged: boolean): Error {
    const error = new Error(`The store could not write: ${failure.message}`, { cause: failure })
    this.#logger.error({ err: failure, acknowledged }, acknowledged ? 'written data could not be synced to the disk' : 'a transaction could not be stored')
    if (failure.fatal || failure.visible) {
      this.#broken = new Error('The store takes no more writes since one failed half-way; the service must be restarted', { cause: failure })
      for (const { fail } of this.#waiting.splice(0)) fail(this.#broken)
    }
    return error
  }

  #rest (): void {
    this.#schedule()
    if (!this.#scheduled && !this.#committing && this.#unsynced === 0) this.#idle?.()
  }
}

type CommitFailure = import('./lmdb-commits.ts').CommitFailure
