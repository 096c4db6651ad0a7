import { ByteWriter } from './byte-writer.ts'
import { flags, kinds, noClient, type StructReader } from './struct-reader.ts'
import { validCharacterSize } from './utf8.ts'

/**
 * U+FFFD, which Yjs puts on both sides of a cut through a surrogate pair.
 * @see https://github.com/yjs/yjs/issues/248
 */
const replacement = Uint8Array.of(0xef, 0xbf, 0xbd)

/** A part of a struct, written as a struct of its own. */
interface StructPart { readonly bytes: Uint8Array, readonly length: number }

/**
 * The struct that `reader` has just read, from `offset` clocks on, as Yjs writes it for a reader who holds the
 * beginning.
 * @param clock of the whole struct
 * @param offset in clocks, above 0 and below the struct's length
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
      const elements = reader.contentReader()
      elements.varUint()
      for (let i = 0; i < offset; i++) elements.skipElement()
      writer.copy(reader.bytes, elements.pos, reader.pos)
    }
  }
  return writer.finish()
}

/**
 * Cuts the struct that `reader` has just read into parts of at most `maxBytes` each: texts between characters, lists
 * between elements. A part that cannot be cut is larger. Applied in order, the parts make the same content.
 */
export function * splitStruct (
  reader: StructReader,
  client: number,
  clock: number,
  maxBytes: number
): Generator<StructPart> {
  const isString = reader.kind === kinds.string
  const isList = reader.kind === kinds.json || reader.kind === kinds.any
  if ((!isString && !isList) || reader.pos - reader.from <= maxBytes) {
    yield { bytes: reader.bytes.subarray(reader.from, reader.pos), length: reader.length }
    return
  }
  // Bytes before the content: the struct's own header in the first part, one byte and two ids in others, and the
  // length.
  const room = Math.max(1, maxBytes - Math.max(reader.contentFrom - reader.from, 33) - 8)
  const content = reader.contentReader()
  content.varUint()
  let done = 0
  while (content.pos < reader.pos) {
    const from = content.pos
    const length = isString
      ? takeCharacters(content, reader.pos, room)
      : takeElements(content, reader.length - done, room)
    const writer = new ByteWriter(content.pos - from + 64)
    if (done === 0) writer.copy(reader.bytes, reader.from, reader.contentFrom)
    else writeContinuedHeader(writer, reader, client, clock + done - 1)
    writer.varUint(isString ? content.pos - from : length)
    writer.copy(reader.bytes, from, content.pos)
    yield { bytes: writer.finish(), length }
    done += length
  }
}

/**
 * A later part has the id before it as its origin, and therefore no parent. Yjs keeps the bit for the key although no
 * key follows.
 */
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
  const content = reader.contentReader()
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

/** Passes whole characters of up to `room` bytes, at least one. @returns their length in UTF-16 units */
function takeCharacters (content: StructReader, to: number, room: number): number {
  const limit = Math.min(to, content.pos + room)
  let units = 0
  do {
    const size = validCharacterSize(content.bytes, content.pos)
    if (units > 0 && content.pos + size > limit) break
    units += size === 4 ? 2 : 1
    content.skip(size)
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
      content.seek(before)
      break
    }
    taken++
  }
  return taken
}
