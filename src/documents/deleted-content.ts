import type { Store, StoredDocument } from '../store/store.ts'
import type { DocumentWork } from '../sync/document-work.ts'
import { decodeKnown, knownOf } from '../sync/save/read-known.ts'
import { scanStored } from '../sync/save/scan-stored.ts'
import { DeletedClients } from '../update/deleted-clients.ts'
import { DocumentFailure } from './document-failure.ts'

/** Keeps what was deleted out of a new document of the same name, as rooms do. */
export class DeletedContent {
  readonly #store: Pick<Store, 'tombstone'>
  readonly #work: DocumentWork

  constructor (store: Pick<Store, 'tombstone'>, work: DocumentWork) {
    this.#store = store
    this.#work = work
  }

  /**
   * @param document as it is stored
   * @throws DocumentFailure (`stale`) if the update belongs to a document of this name that was deleted
   * @throws DamagedDocument
   * @throws MalformedUpdate if one of the three does not decode
   */
  async assertNone (name: string, document: StoredDocument, update: Uint8Array): Promise<void> {
    const tombstone = document.hasTombstone ? await this.#store.tombstone(name) : undefined
    if (tombstone === undefined) return
    const deleted = await decodeKnown(name, tombstone.deleted, this.#work)
    const clients = new DeletedClients(deleted, await knownOf(name, document, this.#work))
    if (!clients.wrote(await scanStored(name, update, this.#work))) return
    throw new DocumentFailure('stale', 'The update belongs to a document of this name that was deleted')
  }
}
