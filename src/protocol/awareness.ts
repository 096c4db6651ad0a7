import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { MalformedMessage } from './malformed-message.ts'

/** One client's presence in an awareness update (`encodeAwarenessUpdate` in y-protocols/awareness.js). */
export interface AwarenessEntry {
  /** Yjs client id */
  readonly clientId: number
  /** Rises with every change of the state */
  readonly clock: number
  /** JSON text; `null` as text means that the client has left */
  readonly state: string
}

/** The state of a client that has left */
export const absentState = 'null'

/**
 * States in one awareness update, at most: twice those of a room of 5,000. y-websocket clients relay every change that
 * they receive, which after a reconnect is everyone at once.
 */
export const maxAwarenessStates = 10_000
/** Bytes of an entry, at least: two numbers and an empty text */
const minEntryBytes = 3

/** An awareness update as a client sent it. It is read entry by entry, so that dropped entries cost next to nothing. */
export class AwarenessUpdate implements Iterable<EncodedEntry> {
  readonly bytes: Uint8Array
  /** Number of states that it announces */
  readonly count: number

  /** @throws MalformedMessage if it announces more states than it can hold, or than `maxAwarenessStates` */
  constructor (bytes: Uint8Array) {
    this.bytes = bytes
    const decoder = decoding.createDecoder(bytes)
    const count = this.count = readNumber(decoder)
    const fits = count <= maxAwarenessStates && count * minEntryBytes <= bytes.length - decoder.pos
    if (!fits) throw new MalformedMessage('Too many awareness states')
  }

  /** @throws MalformedMessage at the first entry that does not decode */
  * [Symbol.iterator] (): Generator<EncodedEntry> {
    const decoder = decoding.createDecoder(this.bytes)
    for (let left = readNumber(decoder); left > 0; left--) yield new EncodedEntry(decoder)
    if (decoding.hasContent(decoder)) throw new MalformedMessage('Bytes follow the awareness update')
  }
}

/** An entry of an awareness update. The text of its state is decoded on demand. */
export class EncodedEntry {
  readonly clientId: number
  readonly clock: number
  /** Length of the state in UTF-8 */
  readonly stateBytes: number
  readonly #bytes: Uint8Array
  readonly #stateAt: number

  /**
   * Reads the next entry and moves the decoder past it.
   * @throws MalformedMessage
   */
  constructor (decoder: decoding.Decoder) {
    this.clientId = readNumber(decoder)
    this.clock = readNumber(decoder)
    this.stateBytes = readNumber(decoder)
    this.#bytes = decoder.arr
    this.#stateAt = decoder.pos
    decoder.pos += this.stateBytes
    if (decoder.pos > decoder.arr.length) throw new MalformedMessage('The awareness update is truncated')
  }

  /** Whether the client has left. */
  get isAbsent (): boolean {
    if (this.stateBytes !== absentBytes.length) return false
    return absentBytes.every((byte, i) => byte === this.#bytes[this.#stateAt + i])
  }

  /**
   * The JSON text of the state.
   * @throws MalformedMessage if it is not JSON: every client in the room would fail to parse it
   */
  readState (): string {
    try {
      const text = utf8.decode(this.#bytes.subarray(this.#stateAt, this.#stateAt + this.stateBytes))
      JSON.parse(text)
      return text
    } catch {
      throw new MalformedMessage('An awareness state is not JSON')
    }
  }
}

const absentBytes = new TextEncoder().encode(absentState)
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readNumber (decoder: decoding.Decoder): number {
  try {
    return decoding.readVarUint(decoder)
  } catch {
    throw new MalformedMessage('The awareness update is truncated, or a number in it too large')
  }
}

/** Writes an awareness update. */
export function encodeAwareness (entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { clientId, clock, state } of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}
