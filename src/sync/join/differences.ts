import { createHash } from 'node:crypto'
import type { StoredDocument } from '../../store/store.ts'
import { storedBytes, type StoredDocuments } from '../save/stored-documents.ts'

/** Bytes of all documents whose differences are held at a time; a single document can be larger. */
const maxHeldBytes = 64 * 1024 * 1024
/** Differences for one person at a time: a browser that reconnects with several tabs. */
const maxOfOnePerson = 4

/** The part of a stored document that a reader lacks, held in memory until all its readers have been sent it. */
export interface Difference {
  /** Updates in the order in which they are to be sent; rejects as `StoredDocuments.difference` does */
  readonly pieces: Promise<readonly Uint8Array[]>
  /** Call it once, when the pieces are sent or no longer needed. */
  release (): void
}

interface Held {
  readonly pieces: Promise<readonly Uint8Array[]>
  readonly bytes: number
  readonly person: string
  readers: number
}

/**
 * Differences of stored documents, for clients that join with a part of the document. A difference takes a worker's
 * time and, until it is sent, memory; the whole document, sent piece by piece as the store has it, takes neither. So
 * both are bounded, in total and for each person; above a bound the client is sent the whole document.
 */
export class Differences {
  readonly #stored: StoredDocuments
  /** By key: a thousand clients that reconnect at once have the same */
  readonly #held = new Map<string, Held>()
  readonly #countOf = new Map<string, number>()
  #bytes = 0

  constructor (stored: StoredDocuments) {
    this.#stored = stored
  }

  /**
   * The difference for a reader with this state vector.
   * @param person see `personOf`
   * @returns undefined: send the whole document instead
   */
  of (name: string, document: StoredDocument, stateVector: Uint8Array, person: string): Difference | undefined {
    const digest = createHash('sha256').update(stateVector).digest('base64')
    const key = `${document.snapshot?.generation ?? 0} ${document.lastSeq} ${digest} ${name}`
    const held = this.#held.get(key) ?? this.#start(key, name, document, stateVector, person)
    if (held === undefined) return undefined
    held.readers++
    return { pieces: held.pieces, release: () => { this.#release(key, held) } }
  }

  #start (
    key: string,
    name: string,
    document: StoredDocument,
    stateVector: Uint8Array,
    person: string
  ): Held | undefined {
    const bytes = storedBytes(document)
    const ofPerson = this.#countOf.get(person) ?? 0
    if (ofPerson === maxOfOnePerson || (this.#bytes > 0 && this.#bytes + bytes > maxHeldBytes)) return undefined
    const pieces = this.#stored.difference(name, document, stateVector)
    const held: Held = { pieces, bytes, person, readers: 0 }
    this.#held.set(key, held)
    this.#countOf.set(person, ofPerson + 1)
    this.#bytes += bytes
    // The next request starts again.
    pieces.catch(() => { this.#forget(key, held) })
    return held
  }

  #release (key: string, held: Held): void {
    if (--held.readers > 0) return
    this.#forget(key, held)
    this.#bytes -= held.bytes
    const ofPerson = (this.#countOf.get(held.person) ?? 0) - 1
    if (ofPerson === 0) this.#countOf.delete(held.person)
    else this.#countOf.set(held.person, ofPerson)
  }

  #forget (key: string, held: Held): void {
    if (this.#held.get(key) === held) this.#held.delete(key)
  }
}
