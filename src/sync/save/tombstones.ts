import type { OutageLog } from '../../logging/outage-log.ts'
import type { Store } from '../../store/store.ts'
import { DeletedClients } from '../../update/deleted-clients.ts'
import type { Known, PackedKnown } from '../../update/known.ts'
import type { DocumentWork } from '../document-work.ts'
import { decodeKnown } from './read-known.ts'

/** Attempts to widen a tombstone: one for each other node that does the same at this moment, and some to spare. */
const maxAttempts = 10

/** Reads tombstones, and adds to them what the store did not have yet when a document was deleted. */
export class Tombstones {
  readonly #store: Pick<Store, 'tombstone' | 'replaceTombstone'>
  readonly #work: DocumentWork
  readonly #outages: OutageLog

  constructor (store: Pick<Store, 'tombstone' | 'replaceTombstone'>, work: DocumentWork, outages: OutageLog) {
    this.#store = store
    this.#work = work
    this.#outages = outages
  }

  /** Whether a name has a tombstone. @throws DamagedDocument */
  async has (name: string): Promise<boolean> {
    return await this.#store.tombstone(name) !== undefined
  }

  /**
   * The clients of the deleted documents of a name.
   * @param present what is known of the document that has the name now
   * @returns undefined if there is no tombstone
   * @throws DamagedDocument
   */
  async clients (name: string, present: Known): Promise<DeletedClients | undefined> {
    const tombstone = await this.#store.tombstone(name)
    return tombstone && new DeletedClients(await decodeKnown(name, tombstone.deleted, this.#work), present)
  }

  /** Adds what a room knew of a document that was deleted: some of it was not stored. Never rejects. */
  async widen (name: string, known: PackedKnown): Promise<void> {
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const tombstone = await this.#store.tombstone(name)
        if (tombstone === undefined) return
        const deleted = await this.#work.unite([tombstone.deleted, known], [], name)
        if (Buffer.compare(deleted, tombstone.deleted) === 0) return
        if (await this.#store.replaceTombstone(name, tombstone, deleted)) return
      }
      throw new Error('Other nodes have changed the tombstone again and again')
    } catch (error) {
      this.#outages.report('warn', 'Failed to add unsaved updates of a deleted document to its tombstone', error, { room: name })
    }
  }
}
