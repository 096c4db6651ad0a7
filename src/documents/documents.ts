import type { DocumentWork } from '../sync/document-work.ts'
import { StoredDocuments } from '../sync/save/stored-documents.ts'
import { BoundedQueue, QueueOverload } from '../queue/bounded-queue.ts'
import type { Store, StoredDocument } from '../store/store.ts'
import { DocumentFailure } from './document-failure.ts'
import { failStore, failWork } from './failures.ts'

/** A stored document, apart from its content. */
export interface DocumentHead {
  /** Rises with each stored update. */
  readonly sequence: number
  /** When the last update was stored, ms since the epoch. */
  readonly updatedAt: number
}

/** A stored document with its content. */
export interface ReadDocument extends DocumentHead {
  /** The whole document as one Yjs update, V1. */
  readonly update: Uint8Array
  /** The document as it is stored. */
  readonly stored: StoredDocument
}

/** Above every number of a log: `Store.load` returns the head alone. */
const beyondTheLog = 2 ** 47

/** The state vector of a reader that has nothing. */
const hasNothing = Uint8Array.of(0)

/** A Yjs update without content. */
const emptyUpdate = Uint8Array.of(0, 0)

/** Documents in memory at a time, each as it is stored and merged. */
const maxReadAtOnce = 4
/** Reads that can wait, and for how long in ms. */
const maxWaiting = 1000
const maxWaitMs = 30_000

/**
 * The stored documents, read for Django. Everything that was acknowledged is in the store, so a document is complete
 * whether it is open here, on another node, or nowhere.
 */
export class Documents {
  readonly #store: Store
  readonly #work: DocumentWork
  readonly #stored: StoredDocuments
  readonly #turns = new BoundedQueue({ maxRunning: maxReadAtOnce, maxWaiting, maxWaitMs, now: () => performance.now() })

  constructor (store: Store, work: DocumentWork) {
    this.#store = store
    this.#work = work
    this.#stored = new StoredDocuments(store, work)
  }

  /** Whether a document of this name was deleted, and its tombstone remains. @throws DocumentFailure */
  async wasDeleted (name: string): Promise<boolean> {
    return await this.#store.tombstone(name).catch(failStore) !== undefined
  }

  /**
   * Looks a document up.
   * @returns undefined if it does not exist
   * @throws DocumentFailure
   */
  async find (name: string): Promise<DocumentHead | undefined> {
    const document = await this.#store.load(name, beyondTheLog).catch(failStore)
    return document && headOf(document)
  }

  /**
   * Reads a document, a few at a time. It is merged in a thread, never on the event loop.
   * @returns undefined if it does not exist
   * @throws DocumentFailure
   */
  async read (name: string): Promise<ReadDocument | undefined> {
    return await this.#turns.run(() => this.#read(name)).catch((cause: unknown) => {
      if (!(cause instanceof QueueOverload)) throw cause
      throw new DocumentFailure('busy', cause.message, { cause })
    })
  }

  async #read (name: string): Promise<ReadDocument | undefined> {
    const whole = await this.#stored.readWhole(name).catch(failStore)
    if (whole === undefined) return undefined
    const update = await this.#merge(name, whole.updates)
    return { ...headOf(whole.document), update, stored: whole.document }
  }

  async #merge (name: string, updates: readonly Uint8Array[]): Promise<Uint8Array> {
    const [first = emptyUpdate] = updates
    if (updates.length < 2) return first
    const [merged = emptyUpdate] = await this.#work.difference(updates, hasNothing, Infinity, name).catch(failWork)
    return merged
  }
}

const headOf = ({ lastSeq, updatedAt }: StoredDocument): DocumentHead => ({ sequence: lastSeq, updatedAt })
