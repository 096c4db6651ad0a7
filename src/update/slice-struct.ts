import { ByteWriter } from './byte-writer.ts'
import { flags, kinds, noClient, StructReader } from './struct-reader.ts'
import { validCharacterSize } from './utf8.ts'

/** U+FFFD: what Yjs puts where a cut goes through a surrogate pair, on both sides. @see https://github.com/yjs/yjs/issues/248 */
const replacement = Uint8Array.of(0xef, 0xbf, 0xbd)

/** A part of a struct, written as a struct of its own. */
export interface StructPart { readonly bytes: Uint8Array, readonly length: number }

/**
 * The struct that `reader` has just read, from `offset` clocks on: what Yjs writes for a reader who holds the beginning.
 * @param clock of the whole struct
 * @param offset in clocks, over 0 and under the struct's length
 */
export function sliceStruct (reader: StructReader, client: number, clock: number, offset: number): Uint8Array {
  const writer = new ByteWriter(reader.pos - reader.from + 32)
  writeContinuedHeader(writer, reader, client, clock + offset - 1)
  const rest = reader.length - offset
  if (reader.kind === kinds.string) {
    writeStringTail(writer, reader, offset)
  } else {
    writer.varUint(rest)
    if (reader.kind === kinds.json || reader.kind === kinds.any) {
      const elements = contentReader(reader)
      elements.varUint()
      for (let i = 0; i < offset; i++) elements.skipElement()
      writer.copy(reader.bytes, elements.pos, reader.pos)
    }
  }
  return writer.finish()
}

/**
 * The struct that `reader` has just read in parts of at most `maxBytes` each, where it can be cut: texts between characters, lists between elements.
 * A part that cannot be cut is larger. Applied in order the parts make the same content.
 */
export function * splitStruct (reader: StructReader, client: number, clock: number, maxBytes: number): Generator<StructPart> {
  const isString = reader.kind === kinds.string
  const isList = reader.kind === kinds.json || reader.kind === kinds.any
  if ((!isString && !isList) || reader.pos - reader.from <= maxBytes) {
    yield { bytes: reader.bytes.subarray(reader.from, reader.pos), length: reader.length }
    return
  }
  // What precedes the content: the struct's own header first, at most two ids behind its info afterwards, and the content's length.
  const room = Math.max(1, maxBytes - Math.max(reader.contentFrom - reader.from, 33) - 8)
  const content = contentReader(reader)
  content.varUint()
  let done = 0
  while (content.pos < reader.pos) {
    const from = content.pos
    const length = isString ? takeCharacters(content, reader.pos, room) : takeElements(content, reader.length - done, room)
    const writer = new ByteWriter(content.pos - from + 64)
    if (done === 0) writer.copy(reader.bytes, reader.from, reader.contentFrom)
    else writeContinuedHeader(writer, reader, client, clock + done - 1)
    writer.varUint(isString ? content.pos - from : length)
    writer.copy(reader.bytes, from, content.pos)
    yield { bytes: writer.finish(), length }
    done += length
  }
}

/** A continuing part has the id before it as origin; it needs no parent then. Yjs keeps the bit for the key although no key follows. */
function writeContinuedHeader (writer: ByteWriter, reader: StructReader, client: number, originClock: number): void {
  if (reader.kind === kinds.gc || reader.kind === kinds.skip) {
    writer.byte(reader.kind)
    return
  }
  writer.byte(reader.info | flags.origin)
  writer.varUint(client)
  writer.varUint(originClock)
  if (reader.rightClient !== noClient) {
    writer.varUint(reader.rightClient)
    writer.varUint(reader.rightClock)
  }
}

function writeStringTail (writer: ByteWriter, reader: StructReader, offset: number): void {
  const content = contentReader(reader)
  content.varUint()
  let at = content.pos
  let units = 0
  while (units < offset) {
    const size = validCharacterSize(reader.bytes, at)
    units += size === 4 ? 2 : 1
    at += size
  }
  const cutsPair = units > offset
  writer.varUint(reader.pos - at + (cutsPair ? replacement.length : 0))
  if (cutsPair) writer.copy(replacement)
  writer.copy(reader.bytes, at, reader.pos)
}

/** A second reader at the struct's content; it knows the kind, so it can pass elements. */
function contentReader (reader: StructReader): StructReader {
  const content = new StructReader(reader.bytes, reader.contentFrom)
  content.kind = reader.kind
  return content
}

/** Passes whole characters of up to `room` bytes, at least one. @returns their length in UTF-16 units */
function takeCharacters (content: StructReader, to: number, room: number): number {
  const limit = Math.min(to, content.pos + room)
  let units = 0
  do {
    const size = validCharacterSize(content.bytes, content.pos)
    if (units > 0 && content.pos + size > limit) break
    units += size === 4 ? 2 : 1
    content.pos += size
  } while (content.pos < limit)
  return units
}

/** Passes elements of up to `room` bytes, at least one. @returns their number */
function takeElements (content: StructReader, left: number, room: number): number {
  const limit = content.pos + room
  let taken = 0
  while (taken < left) {
    const before = content.pos
    content.skipElement()
    if (taken > 0 && content.pos > limit) {
      content.pos = before
      break
    }
    taken++
  }
  return taken
}
