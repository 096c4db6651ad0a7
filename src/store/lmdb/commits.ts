import { getSystemErrorMap } from 'node:util'
import type { LmdbTree } from './transaction.ts'

/** Why a transaction could not be committed. */
export class CommitFailure extends Error {
  override readonly name = 'CommitFailure'
  /** Its data had been visible to readers before: it is in the system's memory, but not on the disk. */
  readonly visible: boolean
  /** LMDB itself will take no further transaction. */
  readonly fatal: boolean

  constructor (message: string, { visible, fatal }: { visible: boolean, fatal: boolean }) {
    super(message)
    this.visible = visible
    this.fatal = fatal
  }
}

/** The moments of a commit: `visible` once, then `synced`; or `failed`, before or after `visible`. */
interface Watcher {
  /** The system has it: it survives this process, and readers see it. */
  readonly visible: () => void
  /** The disk has it. */
  readonly synced: () => void
  readonly failed: (failure: CommitFailure) => void
}

/** What lmdb-js reports while a transaction is on its way; any other number is an error. */
const SYNCED = 0
const VISIBLE = 1
const WANTS_CALLBACKS = 2

/**
 * Makes a function that commits writes in one transaction and tells both moments apart. lmdb-js documents
 * `separateFlushed` for this, but in 3.5 the promise of a write is settled only after the sync (its flag is set behind
 * `mdb_txn_commit`, which syncs). Its native side does report "visible" before, to the callback that its JavaScript
 * side passes to `startWriting`: we listen in there. Were that to change, `visible` would come with `synced`: slower,
 * never wrong.
 */
export function watchCommits (tree: LmdbTree) {
  let starting: ((status: number) => void) | undefined
  let last = Promise.resolve()
  listenIn(tree, () => {
    const onStatus = starting
    starting = undefined
    return onStatus
  })

  return function commit (writes: Iterable<{ key: Buffer, value: Buffer | undefined }>, watcher: Watcher): void {
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
      if (status === VISIBLE) return becomeVisible()
      if (!isError(status)) return
      reason = describe(status)
      // lmdb-js rejects the promise of a transaction that was aborted, once those before it are settled; that of one that
      // could not even begin it never settles.
      before.finally(() => setImmediate(fail, reason, true)).catch(() => {})
    }
    last = putAll(tree, writes).then(becomeSynced, () => fail(reason, false))
  }
}

function putAll (tree: LmdbTree, writes: Iterable<{ key: Buffer, value: Buffer | undefined }>): Promise<boolean> {
  // What they return inside a batch is settled already; the promise of the batch counts.
  const batch: { put (key: Buffer, value: Buffer): unknown, remove (key: Buffer): unknown } = tree
  return tree.batch(() => {
    for (const { key, value } of writes) {
      if (value) batch.put(key, value)
      else batch.remove(key)
    }
  })
}

const isError = (status: number) => status !== SYNCED && status !== VISIBLE && status !== WANTS_CALLBACKS

/** Numbers of the system are its own errors, negative ones LMDB's. LMDB tells a full disk as EIO, for it sees a short write. */
function describe (status: number): string {
  const [name, text] = getSystemErrorMap().get(-status) ?? []
  if (!name) return `LMDB error ${status}`
  return `${text} (${name})${['EIO', 'EFBIG', 'ENOSPC'].includes(name) ? '; is the disk full?' : ''}`
}

type StartWriting = (address: number, callback: (status: number) => unknown) => void

function listenIn (tree: LmdbTree, take: () => ((status: number) => void) | undefined): void {
  // `env` is missing in lmdb's types; what is used of it is checked below.
  const { env } = tree as unknown as { env?: { startWriting?: StartWriting } }
  const startWriting = env?.startWriting
  if (!env || !startWriting) return
  Object.defineProperty(env, 'startWriting', {
    value (address: number, callback: (status: number) => unknown) {
      const onStatus = take()
      startWriting.call(env, address, (status) => {
        onStatus?.(status)
        // To lmdb-js an error is "something has changed": it finds out and rejects just so, but prints nothing.
        return callback(onStatus && isError(status) ? VISIBLE : status)
      })
    },
  })
}
