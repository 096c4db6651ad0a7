import { Cursor } from './bytes.ts'

/** How far each client's clock goes: parallel lists, so that one scan without a Map serves all readers of the bytes. */
export interface Clocks {
  clients: number[]
  /** exclusive: the next clock that this client would use */
  ends: number[]
}

/**
 * Reads how far a Yjs update (format 1) takes each client, skipping the content. It supports what the benchmark itself
 * writes: text, deletions, garbage collected ranges and gaps.
 * @throws on any other content, and on bytes that end early
 * @see https://github.com/yjs/yjs/blob/main/src/utils/encoding.js readClientsStructRefs
 */
export function scanUpdate (bytes: Uint8Array, at = 0): Clocks {
  const cursor = new Cursor(bytes, at)
  const clocks: Clocks = { clients: [], ends: [] }
  for (let sections = cursor.varUint(); sections > 0; sections--) {
    const structs = cursor.varUint()
    clocks.clients.push(cursor.varUint())
    let clock = cursor.varUint()
    let end = clock
    for (let left = structs; left > 0; left--) {
      const info = cursor.byte()
      clock += scanStruct(cursor, info)
      // A gap (Skip) does not mean that its clocks are known.
      if ((info & 0x1f) !== skip) end = clock
    }
    clocks.ends.push(end)
  }
  return clocks
}

const garbage = 0
const deleted = 1
const string = 4
const skip = 10

/** Skips one struct and returns its length in clocks. */
function scanStruct (cursor: Cursor, info: number): number {
  const content = info & 0x1f
  if (content === garbage || content === skip) return cursor.varUint()
  const origin = (info & 0x80) !== 0
  const rightOrigin = (info & 0x40) !== 0
  if (origin) { cursor.varUint(); cursor.varUint() }
  if (rightOrigin) { cursor.varUint(); cursor.varUint() }
  if (!origin && !rightOrigin) {
    if (cursor.varUint() === 1) cursor.skipBytes()
    else { cursor.varUint(); cursor.varUint() }
    if ((info & 0x20) !== 0) cursor.skipBytes()
  }
  if (content === deleted) return cursor.varUint()
  if (content === string) return utf16Length(cursor.bytes, cursor.skipBytes(), cursor.at)
  throw new Error(`The scanner does not know Yjs content ${content}.`)
}

/** Yjs counts text in UTF-16 units: one for each UTF-8 sequence, two for those of four bytes. */
function utf16Length (bytes: Uint8Array, start: number, end: number): number {
  let length = 0
  for (let at = start; at < end; at++) {
    // start <= at < end, and end was checked against the buffer
    const byte = bytes[at] as number
    if ((byte & 0xc0) !== 0x80) length += byte >= 0xf0 ? 2 : 1
  }
  return length
}

/**
 * Reads which clock each client of an awareness update has reached.
 * @see https://github.com/yjs/y-protocols/blob/master/awareness.js encodeAwarenessUpdate
 */
export function scanAwareness (bytes: Uint8Array, at = 0): Clocks {
  const cursor = new Cursor(bytes, at)
  const clocks: Clocks = { clients: [], ends: [] }
  for (let states = cursor.varUint(); states > 0; states--) {
    clocks.clients.push(cursor.varUint())
    clocks.ends.push(cursor.varUint())
    cursor.skipBytes()
  }
  return clocks
}
