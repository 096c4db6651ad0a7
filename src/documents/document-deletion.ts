import type { Logger } from '../logging/logger.ts'
import { OutageLog } from '../logging/outage-log.ts'
import { BoundedQueue, QueueOverload } from '../queue/bounded-queue.ts'
import type { Store } from '../store/store.ts'
import type { DocumentWork } from '../sync/document-work.ts'
import { limitOf } from '../workers/pool-errors.ts'
import { DocumentFailure } from './document-failure.ts'
import { eraseDocument, type Erasure } from './erase-document.ts'
import { failStore } from './failures.ts'

/** The store, the rooms on all nodes, and how long tombstones last. */
export interface DeletionOptions {
  readonly store: Store
  readonly work: DocumentWork
  /** ms that a tombstone lasts; 0: there are none */
  readonly tombstonesForMs: number
  readonly logger: Logger
  /**
   * Closes the room of a deleted document on every node.
   * @param upTo the document's last sequence number; 0: it is not known, and the rooms look into the store
   * @returns how many connections were closed at once
   */
  closeRooms (name: string, upTo: number): Promise<number>
}

/** Who deletes a document, and when it can be deleted. */
export interface DeletionRequest {
  /** The sequences at which it can be deleted; default: at any */
  readonly ifMatch?: readonly number[] | undefined
  /** For the log */
  readonly userId?: string | undefined
}

/** Documents of which the log is in memory at a time. */
const maxAtOnce = 4
/** Deletions that can wait, and for how long in ms. */
const maxWaiting = 1000
const maxWaitMs = 30_000

/** ms between two removals of old tombstones. */
const sweepEveryMs = 60 * 60 * 1000

/**
 * Deletes documents: erases them from the store first, and then closes their rooms on every node. A node that cannot be
 * reached finds out from the store, which accepts nothing more of a deleted document.
 */
export class DocumentDeletion {
  readonly #options: DeletionOptions
  readonly #turns = new BoundedQueue({ maxRunning: maxAtOnce, maxWaiting, maxWaitMs, now: () => performance.now() })
  readonly #outages: OutageLog
  readonly #timer: NodeJS.Timeout
  #sweeping: Promise<void> = Promise.resolve()

  constructor (options: DeletionOptions) {
    this.#options = options
    this.#outages = new OutageLog(options.logger, () => performance.now())
    this.#timer = setInterval(() => { this.#sweeping = this.sweep() }, sweepEveryMs)
    this.#timer.unref()
  }

  /**
   * Deletes a document, a few at a time. Resolves when its rooms are closed on all nodes that can be reached.
   * @throws DocumentFailure; then the document was not deleted
   */
  async delete (name: string, { ifMatch, userId }: DeletionRequest = {}): Promise<Erasure> {
    const { store, work, tombstonesForMs, closeRooms, logger } = this.#options
    const erasure = await this.#turns.run(() => eraseDocument(store, name, {
      leavesTombstone: tombstonesForMs > 0,
      ifMatch,
      unite: (states, updates) => work.unite(states, updates, name),
    })).catch(fail)
    if (erasure.outcome === 'changed') return erasure
    if (erasure.outcome !== 'erased') {
      // The node that has deleted it may have crashed before it told the others, and this request is the retry.
      await closeRooms(name, 0)
      return erasure
    }
    const { sequence, bytes } = erasure
    const connections = await closeRooms(name, sequence)
    logger.info({ room: name, user: userId, sequence, bytes, connections }, 'Deleted a document')
    return erasure
  }

  /** Removes the tombstones that are old. Never rejects. Called every hour. */
  async sweep (): Promise<void> {
    const { store, tombstonesForMs, logger } = this.#options
    try {
      const tombstones = await store.removeTombstones(Date.now() - tombstonesForMs)
      if (tombstones > 0) logger.info({ tombstones }, 'Removed old tombstones')
    } catch (error) {
      this.#outages.report('warn', 'Failed to remove old tombstones; retrying in an hour', error)
    }
  }

  /** Removes no more tombstones. */
  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#sweeping
  }
}

function fail (cause: unknown): never {
  if (cause instanceof QueueOverload) throw new DocumentFailure('busy', cause.message, { cause })
  const limit = limitOf(cause)
  if (limit !== undefined) throw new DocumentFailure(limit, 'The document could not be deleted', { cause })
  return failStore(cause)
}
