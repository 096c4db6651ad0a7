import type { StoredDocument } from '../store/store.ts'
import type { DocumentWork } from '../sync/document-work.ts'
import { documentBoundsOf, type DocumentBounds, type Limits } from '../sync/limits.ts'
import { knownOf } from '../sync/save/read-known.ts'
import { scanStored } from '../sync/save/scan-stored.ts'
import { storedBytes } from '../sync/save/stored-documents.ts'
import { Turns } from '../sync/turns.ts'
import { Known } from '../update/known.ts'
import { DocumentFailure } from './document-failure.ts'

/** The limits of one document, which hold for people and for writes over HTTP. */
export type CapacityLimits = Pick<Limits, 'maxDocumentBytes' | 'maxDocumentClients' | 'maxDocumentDeleteRanges'>

/** Checks whether a document can take an update: people could not edit a document above its limits any more. */
export class DocumentCapacity {
  readonly #maxBytes: number
  readonly #bounds: DocumentBounds
  readonly #work: DocumentWork
  readonly #turns = new Turns(() => performance.now())

  constructor (limits: CapacityLimits, work: DocumentWork) {
    this.#maxBytes = limits.maxDocumentBytes
    this.#bounds = documentBoundsOf(limits)
    this.#work = work
  }

  /**
   * @param document undefined: it does not exist yet
   * @throws DocumentFailure (`full`) if the update would lift the document above a limit
   * @throws MalformedUpdate if one of the two does not decode
   */
  async assertHolds (name: string, document: StoredDocument | undefined, update: Uint8Array): Promise<void> {
    const bytes = (document === undefined ? 0 : storedBytes(document)) + update.length
    if (this.#maxBytes > 0 && bytes > this.#maxBytes) throw new DocumentFailure('full', 'The document would have too many bytes')
    const known = document === undefined ? new Known() : await knownOf(name, document, this.#work)
    const scanned = await scanStored(name, update, this.#work)
    if (!await this.#turns.run(known.exceeding(scanned, this.#bounds))) return
    throw new DocumentFailure('full', 'The document would have too many clients or deletions')
  }
}
