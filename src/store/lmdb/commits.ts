import { getSystemErrorMap } from 'node:util'
import type { Write } from './transaction.ts'
import type { LmdbTree } from './tree.ts'

/** A transaction could not be committed. */
export class CommitFailure extends Error {
  override readonly name = 'CommitFailure'
  /** Whether readers saw its data before: then the data is in the system's memory, but not on the disk. */
  readonly visible: boolean
  /** Whether LMDB itself accepts no further transaction. */
  readonly fatal: boolean

  constructor (message: string, { visible, fatal }: { visible: boolean, fatal: boolean }) {
    super(message)
    this.visible = visible
    this.fatal = fatal
  }
}

/** Is notified at the stages of a commit: `visible` once, then `synced`; or `failed`, before or after `visible`. */
interface Watcher {
  /** Readers see the data, and it survives a crash of this process. */
  readonly visible: () => void
  /** The data is on the disk. */
  readonly synced: () => void
  readonly failed: (failure: CommitFailure) => void
}

/** The statuses that lmdb-js reports during a transaction; any other number is an error. */
const statuses = { synced: 0, visible: 1, wantsCallbacks: 2 } as const

/**
 * Makes a function that commits writes in one transaction and reports `visible` apart from `synced`. lmdb-js documents
 * `separateFlushed` for this, but 3.5 settles the promise of a write only after the sync (it sets the flag after
 * `mdb_txn_commit`, which syncs). Its native side does report "visible" before that, to the callback that its
 * JavaScript side passes to `startWriting`, so this function listens in there. If lmdb-js changes that, `visible` comes
 * together with `synced`: slower, but correct.
 */
export function watchCommits (tree: LmdbTree) {
  let starting: ((status: number) => void) | undefined
  let last = Promise.resolve()
  listenIn(tree, () => {
    const onStatus = starting
    starting = undefined
    return onStatus
  })

  return function commit (writes: Iterable<Write>, watcher: Watcher): void {
    let isVisible = false
    let isOver = false
    const becomeVisible = () => {
      if (isVisible || isOver) return
      isVisible = true
      tree.resetReadTxn()
      watcher.visible()
    }
    const becomeSynced = () => {
      becomeVisible()
      isOver = true
      watcher.synced()
    }
    const fail = (message: string, fatal: boolean) => {
      if (isOver) return
      isOver = true
      watcher.failed(new CommitFailure(message, { visible: isVisible, fatal }))
    }
    let reason = 'LMDB gave no reason'
    const before = last
    starting = (status) => {
      if (status === statuses.visible) return becomeVisible()
      if (!isError(status)) return
      reason = describe(status)
      // lmdb-js rejects the promise of an aborted transaction once those before it are settled. It never settles the
      // promise of a transaction that could not begin.
      before.finally(() => setImmediate(fail, reason, true)).catch(() => {})
    }
    last = putAll(tree, writes).then(becomeSynced, () => fail(reason, false))
  }
}

function putAll (tree: LmdbTree, writes: Iterable<Write>): Promise<boolean> {
  // Inside a batch their promises are settled at once; the promise of the batch counts.
  const batch: { put (key: Buffer, value: Buffer): unknown, remove (key: Buffer): unknown } = tree
  return tree.batch(() => {
    for (const { key, value } of writes) {
      if (value) batch.put(key, value)
      else batch.remove(key)
    }
  })
}

const isError = (status: number): boolean => !Object.values<number>(statuses).includes(status)

/**
 * Positive numbers are errors of the system, negative ones LMDB's. LMDB reports a full disk as EIO: it sees a short
 * write.
 */
function describe (status: number): string {
  const [name, text] = getSystemErrorMap().get(-status) ?? []
  if (!name) return `LMDB error ${status}`
  return `${text} (${name})${['EIO', 'EFBIG', 'ENOSPC'].includes(name) ? '; is the disk full?' : ''}`
}

type StartWriting = (address: number, callback: (status: number) => unknown) => void

function listenIn (tree: LmdbTree, take: () => ((status: number) => void) | undefined): void {
  // `env` is missing in lmdb's types; its use is checked below.
  const { env } = tree as unknown as { env?: { startWriting?: StartWriting } }
  const startWriting = env?.startWriting
  if (!env || !startWriting) return
  Object.defineProperty(env, 'startWriting', {
    value (address: number, callback: (status: number) => unknown) {
      const onStatus = take()
      startWriting.call(env, address, (status) => {
        onStatus?.(status)
        // lmdb-js prints an error status. After "visible" it detects the error itself and rejects, without printing.
        return callback(onStatus && isError(status) ? statuses.visible : status)
      })
    },
  })
}
