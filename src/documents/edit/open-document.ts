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
      this.add(state)
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

  /** Adds an update of the document. */
  add (update: Uint8Array): void {
    this.doc.transact((transaction) => {
      Y.applyUpdate(this.doc, update)
      // Otherwise Yjs would delete formats without effect, here alone: an edit that is made without them would be wrong
      // where they are still there.
      transaction.local = true
    })
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
