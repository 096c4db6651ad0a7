import { createHash } from 'node:crypto'
import type { StoredDocument } from '../store/store.ts'
import { storedBytes, type StoredDocuments } from './stored-document.ts'

/** Bytes of all documents whose differences are computed or wait for their readers at a time; a single one may be larger. */
const maxHeldBytes = 64 * 1024 * 1024
/** Differences of one person at a time: a browser that reconnects with some tabs. */
const maxOfOnePerson = 4

/** What a reader lacks of a stored document, held in memory until all who wait for it have it. */
export interface Difference {
  /** Updates in the order in which they are to be sent; rejects as `StoredDocuments.difference` does */
  readonly pieces: Promise<readonly Uint8Array[]>
  /** To be called once, when they are sent or not wanted any more. */
  release (): void
}

interface Held {
  readonly pieces: Promise<readonly Uint8Array[]>
  readonly bytes: number
  readonly person: string
  readers: number
}

/**
 * Differences of stored documents for those who join with a part of them. A difference takes a worker's time and, until it is
 * sent, memory; the whole document, sent piece by piece as the store has it, takes neither. So both are bounded, in all and
 * for each person, and who would exceed a bound is sent the whole document.
 */
export class Differences {
  readonly #stored: StoredDocuments
  /** By what was asked: a thousand clients of a reconnect storm ask the same */
  readonly #held = new Map<string, Held>()
  readonly #countOf = new Map<string, number>()
  #bytes = 0

  constructor (stored: StoredDocuments) {
    this.#stored = stored
  }

  /**
   * What a reader with this state vector lacks.
   * @param person see `personOf`
   * @returns undefined where the document should be sent whole instead
   */
  of (name: string, document: StoredDocument, stateVector: Uint8Array, person: string): Difference | undefined {
    const question = `${document.snapshot?.generation ?? 0} ${document.lastSeq} ${createHash('sha256').update(stateVector).digest('base64')} ${name}`
    const held = this.#held.get(question) ?? this.#start(question, name, document, stateVector, person)
    if (held === undefined) return undefined
    held.readers++
    return { pieces: held.pieces, release: () => { this.#release(question, held) } }
  }

  #start (question: string, name: string, document: StoredDocument, stateVector: Uint8Array, person: string): Held | undefined {
    const bytes = storedBytes(document)
    const ofPerson = this.#countOf.get(person) ?? 0
    if (ofPerson === maxOfOnePerson || (this.#bytes > 0 && this.#bytes + bytes > maxHeldBytes)) return undefined
    const pieces = this.#stored.difference(name, document, stateVector)
    const held: Held = { pieces, bytes, person, readers: 0 }
    this.#held.set(question, held)
    this.#countOf.set(person, ofPerson + 1)
    this.#bytes += bytes
    // Whoever asks next tries again.
    pieces.catch(() => { this.#forget(question, held) })
    return held
  }

  #release (question: string, held: Held): void {
    if (--held.readers > 0) return
    this.#forget(question, held)
    this.#bytes -= held.bytes
    const ofPerson = (this.#countOf.get(held.person) ?? 0) - 1
    if (ofPerson === 0) this.#countOf.delete(held.person)
    else this.#countOf.set(held.person, ofPerson)
  }

  #forget (question: string, held: Held): void {
    if (this.#held.get(question) === held) this.#held.delete(question)
  }
}
