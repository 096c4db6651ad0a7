import type { StoredDocument } from '../../store/store.ts'
import type { DeletedClients } from '../../update/deleted-clients.ts'
import type { Known } from '../../update/known.ts'
import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { Tombstones } from './tombstones.ts'

/** The document was deleted, whether or not another one has its name now. */
export class DeletedDocument extends Error {
  override readonly name = 'DeletedDocument'
}

/** Tells the document of a room from others of the same name: those deleted before, and one created after it. */
export class Lifetime {
  readonly #name: string
  readonly #tombstones: Tombstones
  #after = 0
  #deletedClients: DeletedClients | undefined

  constructor (name: string, tombstones: Tombstones) {
    this.#name = name
    this.#tombstones = tombstones
  }

  /** A sequence number of the document, which tells the store to which document an update belongs; 0: none is known. */
  get after (): number { return this.#after }

  /** An update of the room was stored at this number. */
  stored (seq: number): void {
    if (this.#after === 0) this.#after = seq
  }

  /**
   * Begins with the document that the store has.
   * @param document undefined: it does not exist yet
   * @param known what is known of it
   * @throws DeletedDocument if it was deleted
   * @throws DamagedDocument if its tombstone is damaged
   */
  async begin (document: StoredDocument | undefined, known: Known): Promise<void> {
    if (document === undefined) {
      if (await this.#tombstones.has(this.#name)) throw this.#deleted()
      return
    }
    this.#after = document.lastSeq
    if (document.hasTombstone) this.#deletedClients = await this.#tombstones.clients(this.#name, known)
  }

  /**
   * Compares the document of the room with the one that the store has.
   * @param after as it was before the store was read
   * @throws DeletedDocument if the document of the room was deleted
   */
  async check (document: StoredDocument | undefined, after: number): Promise<void> {
    if (document === undefined) {
      if (after > 0 || await this.#tombstones.has(this.#name)) throw this.#deleted()
    } else if (after > 0 ? document.base >= after : document.hasTombstone) throw this.#deleted()
    else this.stored(document.lastSeq)
  }

  /** Whether an update belongs to a deleted document. */
  excludes (update: ScannedUpdate): boolean {
    return this.#deletedClients?.wrote(update) === true
  }

  /** Whether a client with this encoded state vector has the text of a deleted document. @throws MalformedUpdate */
  excludesReader (stateVector: Uint8Array): boolean {
    return this.#deletedClients?.areIn(stateVector) === true
  }

  #deleted (): DeletedDocument { return new DeletedDocument(`Document ${JSON.stringify(this.#name)} was deleted`) }
}
