import { CallQueue } from '../../queue/bounded-queue.ts'
import type { SnapshotHead, Store, StoredDocument } from '../../store/store.ts'
import type { DocumentWork } from '../document-work.ts'
import { pieceBytes } from '../limits.ts'

/** The snapshot was replaced while it was being read: start again from a new `load`. */
export class SnapshotReplaced extends Error {
  override readonly name = 'SnapshotReplaced'
}

/** Documents that are in memory at once for a worker, of each queue: one at work, one that waits for the thread. */
const maxDocumentsAtOnce = 2
/** Different questions that may wait; whoever comes then is told to come back. */
const maxWaiting = 1000
/** How often reading starts again when the snapshot is replaced under it. */
export const maxRestarts = 5
/** ms; nobody waits that long */
const maxWaitMs = 600_000

/** Reads documents from the store for those who join them. */
export class StoredDocuments {
  readonly #store: Pick<Store, 'load' | 'readPiece'>
  readonly #work: DocumentWork
  readonly #differenceTurns = documentQueue()
  /** A queue of their own: those who only read and ask for differences must not delay those who write. */
  readonly #checkTurns = documentQueue()

  constructor (store: Pick<Store, 'load' | 'readPiece'>, work: DocumentWork) {
    this.#store = store
    this.#work = work
  }

  /** @param since only log entries behind this position, see `Store.load` */
  load (name: string, since?: number): Promise<StoredDocument | undefined> {
    return this.#store.load(name, since)
  }

  /**
   * One piece of a snapshot.
   * @throws SnapshotReplaced
   */
  async piece (name: string, snapshot: SnapshotHead, index: number): Promise<Uint8Array> {
    const piece = await this.#store.readPiece(name, snapshot.generation, index)
    if (piece === undefined) throw new SnapshotReplaced(`Generation ${snapshot.generation} is no more`)
    return piece
  }

  /** Snapshot and log as updates, all in memory: for a worker. */
  async updates (name: string, document: StoredDocument): Promise<Uint8Array[]> {
    const updates: Uint8Array[] = []
    const { snapshot, log } = document
    if (snapshot !== undefined) {
      for (let index = 0; index < snapshot.pieces; index++) updates.push(await this.piece(name, snapshot, index))
    }
    for (const { update } of log) updates.push(update)
    return updates
  }

  /**
   * Checks where the structs of an update would lie in the document. Where the store cannot be read it passes.
   * @param newer updates that may not be stored yet
   * @throws MalformedUpdate where Yjs would throw later because of them
   * @throws QueueOverload where too many others are asked
   */
  async inspect (name: string, update: Uint8Array, newer: () => readonly Uint8Array[]): Promise<void> {
    await this.#withAll(name, newer, (updates) => this.#work.inspect(update, updates, name))
  }

  /** Which clocks of the document lie under a key (`KeyedClocks.pack`); undefined where the store cannot be read. */
  keyed (name: string, newer: () => readonly Uint8Array[]): Promise<Float64Array | undefined> {
    return this.#withAll(name, newer, (updates) => this.#work.keyed(updates, name))
  }

  async #withAll<Result> (name: string, newer: () => readonly Uint8Array[], work: (updates: readonly Uint8Array[]) => Promise<Result>): Promise<Result | undefined> {
    return await this.#checkTurns.run(async () => {
      // Before it is read: what is stored meanwhile is in both.
      const inMemory = newer()
      let stored: readonly Uint8Array[]
      try {
        stored = await this.#allUpdates(name)
      } catch {
        // The saver reports a store that fails; damage is reported by whoever opens the document.
        return undefined
      }
      return await work([...stored, ...inMemory])
    })
  }

  /** Snapshot and log, however often the snapshot is replaced under it. */
  async #allUpdates (name: string): Promise<Uint8Array[]> {
    for (let restarts = 0; ; restarts++) {
      const document = await this.load(name)
      if (document === undefined) return []
      try {
        return await this.updates(name, document)
      } catch (error) {
        if (!(error instanceof SnapshotReplaced) || restarts === maxRestarts) throw error
      }
    }
  }

  /**
   * The part that a reader with this state vector lacks, as updates to be sent in order.
   * @throws QueueOverload if too many other questions wait
   */
  difference (name: string, document: StoredDocument, stateVector: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#differenceTurns.run(async () => await this.#work.difference(await this.updates(name, document), stateVector, pieceBytes, name))
  }
}

function documentQueue (): CallQueue {
  return new CallQueue({ maxRunning: maxDocumentsAtOnce, maxWaiting, maxWaitMs, now: () => performance.now() })
}

/** Bytes of a stored document, snapshot and log. */
export function storedBytes (document: StoredDocument): number {
  return (document.snapshot?.bytes ?? 0) + logBytes(document)
}

export function logBytes (document: StoredDocument): number {
  return document.log.reduce((sum, { update }) => sum + update.length, 0)
}
