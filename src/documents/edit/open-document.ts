import * as Y from 'yjs'
import { DamagedState } from './edit-failures.ts'
import type { EditingClient } from './edit-request.ts'

/** A document that is edited once, in memory. */
export class OpenDocument {
  readonly doc: Y.Doc

  /**
   * @param state the whole document as one update, V1
   * @param client makes the edit if it has made no other since; default: a new client
   * @throws DamagedState
   */
  constructor (state: Uint8Array, client?: EditingClient) {
    // Collection would be wasted on a document that is dropped at once.
    this.doc = new Y.Doc({ gc: false })
    try {
      // All at once: to texts that are there already Yjs would also apply deletions of its own, of formats without
      // effect, and the edit would be made without formats that others still have.
      Y.applyUpdate(this.doc, state)
    } catch (cause) {
      throw new DamagedState({ cause })
    }
    if (client !== undefined && this.#clockOf(client.id) === client.clock) this.doc.clientID = client.id
    else while (this.doc.store.clients.has(this.doc.clientID)) this.doc.clientID = newClientId()
  }

  /** The client that makes the edit, with its clock so far. */
  get client (): EditingClient {
    const id = this.doc.clientID
    return { id, clock: this.#clockOf(id) }
  }

  #clockOf (id: number): number {
    return Y.getState(this.doc.store, id)
  }

  /** Makes one edit. @returns the update with nothing else; undefined if nothing was changed */
  edit (change: (transaction: Y.Transaction) => void): Uint8Array | undefined {
    let made: Uint8Array | undefined
    const note = (update: Uint8Array) => { made = update }
    this.doc.on('update', note)
    this.doc.transact(change)
    this.doc.off('update', note)
    return made
  }
}

/** A random client id, which nobody else is likely to have. */
export function newClientId (): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}
