import { ByteWriter, varUintSize } from './byte-writer.ts'
import { DeleteSet } from './delete-set.ts'
import { kinds } from './struct-reader.ts'

/** Bytes of every update: the number of sections and the number of clients in the delete set, at most 8 and 1. */
const frameBytes = 9

/** Bytes of a section's number of structs, which is below 2^28 in any update that fits into memory. */
const countBytes = 4

/** The most bytes of a deletion that comes with its struct: client, number of ranges, clock, length. */
const deletionBytes = 8 + 1 + 8 + 8

interface Stretch { readonly bytes: Uint8Array, from: number, to: number }

interface Section { readonly clock: number, end: number, structs: number, readonly stretches: Stretch[] }

/**
 * Packs structs, in the given order, into updates of at most `maxBytes` each; a struct that is larger makes a larger
 * one.
 */
export class PieceWriter {
  readonly #pieces: Uint8Array[] = []
  readonly #maxBytes: number
  #sections = new Map<number, Section>()
  /** Of the current piece. */
  #deletes = new DeleteSet()
  #size = frameBytes

  /** @param maxBytes above 0 */
  constructor (maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The most bytes of a struct of this client that fits into a piece of its own. @param isDeleted see `addStruct` */
  roomFor (client: number, clock: number, isDeleted: boolean): number {
    return this.#maxBytes - frameBytes - headerSize(client, clock) - (isDeleted ? deletionBytes : 0)
  }

  /**
   * Adds the struct in `bytes[from, to)`. The structs of a client come in the order of their clocks; gaps become Skips.
   * @param isDeleted whether its deletion comes in the same piece
   */
  addStruct (
    client: number,
    clock: number,
    length: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    isDeleted = false
  ): void {
    const size = to - from + (isDeleted ? deletionBytes : 0)
    if (this.#size + this.#cost(client, clock, size) > this.#maxBytes) this.#flush()
    this.#size += this.#cost(client, clock, size)
    if (isDeleted) this.#deletes.add(client, clock, length)
    const section = this.#sectionOf(client, clock)
    if (clock > section.end) addSkip(section, clock)
    const last = section.stretches.at(-1)
    if (last !== undefined && last.bytes === bytes && last.to === from) last.to = to
    else section.stretches.push({ bytes, from, to })
    section.structs++
    section.end = clock + length
  }

  /** Adds the deletions. @returns all pieces, at least one */
  finish (deleteSet: DeleteSet): Uint8Array[] {
    const room = this.#maxBytes - frameBytes
    let parts = deleteSet.encodePieces(this.#maxBytes - this.#size, room)
    if (parts.length > 1 && !this.#deletes.isEmpty) {
      this.#flush()
      parts = deleteSet.encodePieces(room, room)
    }
    for (const part of parts) this.#flush(part)
    if (this.#sections.size > 0 || this.#pieces.length === 0) this.#flush()
    return this.#pieces
  }

  /** Ends the current piece. @param deletes encoded; by default those of its structs */
  #flush (deletes: Uint8Array = this.#deletes.encode()): void {
    if (this.#sections.size === 0 && deletes.length === 1 && this.#pieces.length > 0) return
    const writer = new ByteWriter(this.#size + deletes.length)
    writer.varUint(this.#sections.size)
    for (const [client, section] of [...this.#sections].sort(([a], [b]) => b - a)) {
      writer.varUint(section.structs)
      writer.varUint(client)
      writer.varUint(section.clock)
      for (const { bytes, from, to } of section.stretches) writer.copy(bytes, from, to)
    }
    writer.copy(deletes)
    this.#pieces.push(writer.finish())
    this.#sections = new Map()
    this.#deletes = new DeleteSet()
    this.#size = frameBytes
  }

  #cost (client: number, clock: number, size: number): number {
    const section = this.#sections.get(client)
    if (section === undefined) return headerSize(client, clock) + size
    return clock > section.end ? size + 1 + varUintSize(clock - section.end) : size
  }

  #sectionOf (client: number, clock: number): Section {
    let section = this.#sections.get(client)
    if (section === undefined) {
      section = { clock, end: clock, structs: 0, stretches: [] }
      this.#sections.set(client, section)
    }
    return section
  }
}

function headerSize (client: number, clock: number): number {
  return countBytes + varUintSize(client) + varUintSize(clock)
}

function addSkip (section: Section, clock: number): void {
  const writer = new ByteWriter(9)
  writer.byte(kinds.skip)
  writer.varUint(clock - section.end)
  const bytes = writer.finish()
  section.stretches.push({ bytes, from: 0, to: bytes.length })
  section.structs++
}
