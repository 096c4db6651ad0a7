import { maxStateVectorEntries } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { ClientClocks } from './client-clocks.ts'
import type { Known } from './known.ts'
import type { ScannedUpdate } from './scan-update.ts'

/**
 * The clients that wrote a deleted document. A page that still has its text has their structs, and whatever it adds
 * continues them or refers to them. They never write in a new document of the same name, whose pages have new random
 * ids. So a client tells that an update belongs to the deleted document, and clocks need not be compared.
 */
export class DeletedClients {
  readonly #clients = new ClientClocks()

  /**
   * Linear in the clients.
   * @param deleted what was known of the deleted document
   * @param present what is known of the document that has its name now. Clients of both are left out: an operator has
   * restored the document from a backup.
   */
  constructor (deleted: Known, present: Known) {
    const clients: number[] = []
    const { stateVector } = deleted
    for (let at = 0; at < stateVector.size; at++) {
      const client = stateVector.clientAt(at)
      if (present.stateVector.indexOf(client) < 0) clients.push(client)
    }
    this.#clients.addMissing(clients)
  }

  /** Whether an update belongs to the deleted document: its structs, what they refer to, or what it deletes. */
  wrote (update: ScannedUpdate): boolean {
    for (const { client } of update.runs) if (this.#has(client)) return true
    for (const [client] of update.needs) if (this.#has(client)) return true
    return !update.deletesNothing && update.deleteSet.clients().some((client) => this.#has(client))
  }

  /**
   * Whether a reader with this encoded state vector has structs of the deleted document.
   * @throws MalformedUpdate also for more than `maxStateVectorEntries`
   */
  areIn (stateVector: Uint8Array): boolean {
    const reader = new ByteReader(stateVector)
    const entries = reader.varUint()
    if (entries > maxStateVectorEntries) reader.fail('it has too many entries')
    for (let left = entries; left > 0; left--) {
      const client = reader.varUint()
      reader.varUint()
      if (this.#has(client)) return true
    }
    return false
  }

  #has (client: number): boolean { return this.#clients.indexOf(client) >= 0 }
}
