import type { LmdbTree } from './lmdb-draft.ts'

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

interface Commit {
  /** The transaction is in the system's hands: it survives this process. */
  readonly visible: Promise<void>
  /** The disk has it. */
  readonly synced: Promise<void>
}

interface Pending {
  isVisible: boolean
  onVisible: () => void
  onStatus: (status: number) => void
}

/** What lmdb-js reports while a transaction is on its way; anything above is an error number. */
const SYNCED = 0
const VISIBLE = 1
const WANTS_CALLBACKS = 2

/**
 * Lets the caller see the two moments of a commit apart. lmdb-js documents `separateFlushed` for this, but in 3.5 the
 * promise of a write is settled only after the sync (its flag is set behind `mdb_txn_commit`, which syncs); the native
 * side does report "visible" before, to the callback that its JavaScript side passes to `startWriting`. We listen in
 * there. Were that to change, `visible` would follow `synced`: slower, never wrong.
 */
export function watchCommits (tree: LmdbTree) {
  let starting: Pending | undefined
  listenIn(tree, (status, pending) => pending.onStatus(status), () => {
    const pending = starting
    starting = undefined
    return pending
  })

  return function commit (writes: Iterable<{ key: Buffer, value: Buffer | undefined }>): Commit {
    const pending: Pending = { isVisible: false, onVisible: () => {}, onStatus: () => {} }
    const visible = new Promise<void>((resolve) => {
      pending.onVisible = () => {
        if (pending.isVisible) return
        pending.isVisible = true
        tree.resetReadTxn()
        resolve()
      }
    })
    const synced = new Promise<void>((resolve, reject) => {
      const fail = (message: string, fatal: boolean) => reject(new CommitFailure(message, { visible: pending.isVisible, fatal }))
      pending.onStatus = (status) => {
        if (status === VISIBLE) pending.onVisible()
        // Where not even the transaction could begin, lmdb-js settles no promise; one that was aborted rejects its own first.
        else if (status !== SYNCED && status !== WANTS_CALLBACKS) setImmediate(fail, `LMDB error ${status}`, true)
      }
      starting = pending
      tree.batch(() => {
        for (const { key, value } of writes) {
          if (value) void tree.put(key, value)
          else void tree.remove(key)
        }
      }).then(() => {
        pending.onVisible()
        resolve()
      }, (error: Error & { commitError?: Promise<never> }) => {
        if (error.commitError) error.commitError.catch((reason: Error) => fail(reason.message, false))
        else fail(error.message, false)
      })
    })
    return { visible, synced }
  }
}

type StartWriting = (address: number, callback: (status: number) => unknown) => void

function listenIn (tree: LmdbTree, onStatus: (status: number, pending: Pending) => void, take: () => Pending | undefined): void {
  // `env` is not in lmdb's types; it is checked here before it is used.
  const { env } = tree as unknown as { env?: { startWriting?: StartWriting } }
  const startWriting = env?.startWriting
  if (!env || !startWriting) return
  Object.defineProperty(env, 'startWriting', {
    value (address: number, callback: (status: number) => unknown) {
      const pending = take()
      return startWriting.call(env, address, (status) => {
        const result = callback(status)
        if (pending) onStatus(status, pending)
        return result
      })
    },
  })
}
