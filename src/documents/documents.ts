import type { DocumentWork } from '../sync/document-work.ts'
import { StoredDocuments } from '../sync/save/stored-documents.ts'
import { BoundedQueue, QueueOverload } from '../queue/bounded-queue.ts'
import type { DocumentInfo, Store, StoredDocument } from '../store/store.ts'
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

/** A document in a list. */
export interface ListedDocument {
  readonly name: string
  /** Bytes of its snapshot and its log. */
  readonly bytes: number
  /** Rises with each stored update; 0 if what is stored of the document is damaged. */
  readonly sequence: number
  /** ms since the epoch; 0 if that is damaged. */
  readonly createdAt: number
  /** When the last update was stored, ms since the epoch; 0 if that is damaged. */
  readonly updatedAt: number
}

/** Some documents of the store, in the order of their names. */
export interface DocumentPage {
  readonly documents: readonly ListedDocument[]
  /** The name after which the next page begins; undefined: there are no more */
  readonly next: string | undefined
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

  /** Why there is no document of this name. @throws DocumentFailure */
  async absence (name: string): Promise<DocumentFailure> {
    if (await this.wasDeleted(name)) return new DocumentFailure('deleted', 'The document was deleted')
    return new DocumentFailure('absent', 'There is no document of this name')
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
   * Lists documents whose names begin with `prefix` and come after `after`, in the order of code points. A document
   * that exists all the time is on exactly one page, whatever is created and removed between two of them.
   * @param limit of the documents, at least 1
   * @throws DocumentFailure
   */
  async page (prefix: string, after: string, limit: number): Promise<DocumentPage> {
    const listed: ListedDocument[] = []
    try {
      // One more, to know whether a page follows.
      for await (const info of this.#store.list({ prefix, after, limit: limit + 1 })) listed.push(listedOf(info))
    } catch (error) {
      failStore(error)
    }
    const documents = listed.slice(0, limit)
    return { documents, next: listed.length > limit ? documents.at(-1)?.name : undefined }
  }

  /**
   * Looks up those of these documents that exist, in the order of their names.
   * @throws DocumentFailure
   */
  async some (names: readonly string[]): Promise<readonly ListedDocument[]> {
    const infos = await this.#store.info(names).catch(failStore)
    return infos.map(listedOf)
  }

  /**
   * Reads a document, a few at a time. It is merged in a thread, never on the event loop.
   * @param signal ends the work when the document is no longer wanted
   * @returns undefined if it does not exist
   * @throws DocumentFailure
   */
  async read (name: string, signal?: AbortSignal): Promise<ReadDocument | undefined> {
    return await this.#turns.run(() => this.#read(name, signal)).catch((cause: unknown) => {
      if (signal?.aborted === true) throw new DocumentFailure('cancelled', 'The document is no longer wanted', { cause })
      if (!(cause instanceof QueueOverload)) throw cause
      throw new DocumentFailure('busy', cause.message, { cause })
    })
  }

  async #read (name: string, signal: AbortSignal | undefined): Promise<ReadDocument | undefined> {
    // It can have waited for its turn.
    signal?.throwIfAborted()
    const whole = await this.#stored.readWhole(name).catch(failStore)
    if (whole === undefined) return undefined
    signal?.throwIfAborted()
    const update = await this.#merge(name, whole.updates, signal)
    return { ...headOf(whole.document), update, stored: whole.document }
  }

  async #merge (name: string, updates: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<Uint8Array> {
    const [first = emptyUpdate] = updates
    if (updates.length < 2) return first
    const merging = this.#work.difference(updates, hasNothing, Infinity, name, signal)
    const [merged = emptyUpdate] = await merging.catch(failWork)
    return merged
  }
}

const headOf = ({ lastSeq, updatedAt }: StoredDocument): DocumentHead => ({ sequence: lastSeq, updatedAt })

function listedOf (info: DocumentInfo): ListedDocument {
  const { document: name, snapshotBytes, logBytes, lastSeq: sequence, createdAt, updatedAt } = info
  return { name, bytes: snapshotBytes + logBytes, sequence, createdAt, updatedAt }
}
