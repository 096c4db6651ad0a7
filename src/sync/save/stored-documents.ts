import { BoundedQueue } from '../../queue/bounded-queue.ts'
import type { SnapshotHead, Store, StoredDocument } from '../../store/store.ts'
import type { DocumentWork } from '../document-work.ts'
import { pieceBytes } from '../limits.ts'

/** The snapshot was replaced while it was being read: the caller starts again with a new `load`. */
export class SnapshotReplaced extends Error {
  override readonly name = 'SnapshotReplaced'
}

/** Pieces that are read, in 1 to 3 ms, before the event loop continues. */
const piecesInTurn = 4

/** Documents in memory at a time for a worker, of each queue: one at work, one that waits for the thread. */
const maxDocumentsAtOnce = 2
/** Requests that can wait; above it, clients are told to retry. */
const maxWaiting = 1000
/** Reads in a row if the snapshot is replaced meanwhile. */
export const maxRestarts = 5
/** ms that a request can wait; no client waits that long. */
const maxWaitMs = 600_000

/** A stored document with its whole content. */
export interface WholeDocument {
  readonly document: StoredDocument
  /** In causal order: the pieces of the snapshot, then the log */
  readonly updates: readonly Uint8Array[]
}

/** Reads documents from the store for clients that join, and for checks. */
export class StoredDocuments {
  readonly #store: Pick<Store, 'load' | 'readPiece'>
  readonly #work: DocumentWork
  readonly #differenceTurns = documentQueue()
  /** Checks have a queue of their own: clients that only read must not delay those that write. */
  readonly #checkTurns = documentQueue()

  constructor (store: Pick<Store, 'load' | 'readPiece'>, work: DocumentWork) {
    this.#store = store
    this.#work = work
  }

  /** @param since only log entries after this position, see `Store.load` */
  load (name: string, since?: number): Promise<StoredDocument | undefined> {
    return this.#store.load(name, since)
  }

  /**
   * One piece of a snapshot.
   * @throws SnapshotReplaced
   */
  async piece (name: string, snapshot: SnapshotHead, index: number): Promise<Uint8Array> {
    const piece = await this.#store.readPiece(name, snapshot.generation, index)
    if (piece === undefined) throw new SnapshotReplaced(`Generation ${snapshot.generation} was replaced`)
    return piece
  }

  /** Reads snapshot and log as updates, all in memory: for a worker. */
  async updates (name: string, document: StoredDocument): Promise<Uint8Array[]> {
    const updates: Uint8Array[] = []
    const { snapshot, log } = document
    if (snapshot !== undefined) {
      for (let index = 0; index < snapshot.pieces; index++) {
        // The embedded store reads a piece at once: without a break, the event loop would stand still for all of them.
        if (index % piecesInTurn === piecesInTurn - 1) await new Promise(setImmediate)
        updates.push(await this.piece(name, snapshot, index))
      }
    }
    for (const { update } of log) updates.push(update)
    return updates
  }

  /**
   * Checks where the structs of an update would lie in the document. Passes if the store cannot be read.
   * @param newer returns updates that the store may lack
   * @throws MalformedUpdate if Yjs would throw because of them
   * @throws QueueOverload if too many other requests wait
   */
  async inspect (name: string, update: Uint8Array, newer: () => readonly Uint8Array[]): Promise<void> {
    await this.#withAll(name, newer, (updates) => this.#work.inspect(update, updates, name))
  }

  /** Finds the clocks that lie under a key (`KeyedClocks.pack`); undefined if the store cannot be read. */
  keyed (name: string, newer: () => readonly Uint8Array[]): Promise<Float64Array | undefined> {
    return this.#withAll(name, newer, (updates) => this.#work.keyed(updates, name))
  }

  async #withAll<Result> (
    name: string,
    newer: () => readonly Uint8Array[],
    work: (updates: readonly Uint8Array[]) => Promise<Result>
  ): Promise<Result | undefined> {
    return await this.#checkTurns.run(async () => {
      // Before the store is read: an update that is stored meanwhile is in both.
      const inMemory = newer()
      let stored: readonly Uint8Array[]
      try {
        stored = await this.#allUpdates(name)
      } catch {
        // The saver reports a store that fails, and opening the document reports damage.
        return undefined
      }
      return await work([...stored, ...inMemory])
    })
  }

  async #allUpdates (name: string): Promise<readonly Uint8Array[]> {
    return (await this.readWhole(name))?.updates ?? []
  }

  /**
   * Reads snapshot and log as updates, all in memory, and starts again if the snapshot is replaced meanwhile.
   * @throws SnapshotReplaced if that happens again and again
   */
  async readWhole (name: string): Promise<WholeDocument | undefined> {
    for (let restarts = 0; ; restarts++) {
      const document = await this.load(name)
      if (document === undefined) return undefined
      try {
        return { document, updates: await this.updates(name, document) }
      } catch (error) {
        if (!(error instanceof SnapshotReplaced) || restarts === maxRestarts) throw error
      }
    }
  }

  /**
   * Computes the part that a reader with this state vector lacks, as updates to be sent in order.
   * @throws QueueOverload if too many other requests wait
   */
  difference (name: string, document: StoredDocument, stateVector: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#differenceTurns.run(async () => {
      const updates = await this.updates(name, document)
      return await this.#work.difference(updates, stateVector, pieceBytes, name)
    })
  }
}

function documentQueue (): BoundedQueue {
  return new BoundedQueue({ maxRunning: maxDocumentsAtOnce, maxWaiting, maxWaitMs, now: () => performance.now() })
}

/** Bytes of a stored document: snapshot and log. */
export function storedBytes (document: StoredDocument): number {
  return (document.snapshot?.bytes ?? 0) + logBytes(document)
}

/** Bytes of a stored document's log. */
export function logBytes (document: StoredDocument): number {
  return document.log.reduce((sum, { update }) => sum + update.length, 0)
}
