import * as decoding from 'lib0/decoding'
import { AwarenessUpdate, type AwarenessEntry } from '../../src/protocol/awareness.ts'

/** A message of a server, decoded as clients do it. */
export type Heard =
  | { type: 'step1', bytes: Uint8Array }
  | { type: 'step2', bytes: Uint8Array }
  | { type: 'update', bytes: Uint8Array }
  | { type: 'awareness', entries: AwarenessEntry[], bytes: Uint8Array }
  | { type: 'status', stored: boolean }
  | { type: 'auth', kind: number, text: string }
  | { type: 'close', reason: string }
  | { type: 'pong' }
  | { type: 'stored', number: number, isStored: boolean }

/** All states in an awareness update. @throws MalformedMessage */
export function decodeAwareness (update: Uint8Array): AwarenessEntry[] {
  return Array.from(new AwarenessUpdate(update), (entry) => {
    const { clientId, clock } = entry
    return { clientId, clock, state: entry.readState() }
  })
}

const syncTypes = ['step1', 'step2', 'update'] as const

/** @param addressed whether the message begins with its document's name (Hocuspocus) */
export function decodeHeard (payload: Uint8Array, addressed: boolean): Heard {
  const decoder = decoding.createDecoder(payload)
  if (addressed) decoding.readVarString(decoder)
  const heard = decodeBody(decoder)
  if (decoding.hasContent(decoder)) throw new Error('Bytes follow a message of the server')
  return heard
}

function decodeBody (decoder: decoding.Decoder): Heard {
  const type = decoding.readVarUint(decoder)
  switch (type) {
    case 0: {
      const sync = syncTypes[decoding.readVarUint(decoder)]
      if (sync === undefined) throw new Error('Unknown sync message')
      return { type: sync, bytes: decoding.readVarUint8Array(decoder) }
    }
    case 1: {
      const bytes = decoding.readVarUint8Array(decoder)
      return { type: 'awareness', entries: decodeAwareness(bytes), bytes }
    }
    case 2: return { type: 'auth', kind: decoding.readVarUint(decoder), text: decoding.readVarString(decoder) }
    case 7: return { type: 'close', reason: decoding.readVarString(decoder) }
    case 8: return { type: 'status', stored: decoding.readVarUint(decoder) === 1 }
    case 10: return { type: 'pong' }
    case 100: return { type: 'stored', number: decoding.readVarUint(decoder), isStored: decoding.readVarUint(decoder) === 1 }
    default: throw new Error(`Unknown message type ${type}`)
  }
}

/** The payloads of complete, unmasked WebSocket frames. */
export function * payloadsOf (frames: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < frames.length;) {
    let length = frames.readUInt8(at + 1)
    let from = at + 2
    if (length === 126) {
      length = frames.readUInt16BE(from)
      from += 2
    } else if (length === 127) {
      length = Number(frames.readBigUInt64BE(from))
      from += 8
    }
    at = from + length
    if (at > frames.length) throw new Error('A frame is truncated')
    yield frames.subarray(from, at)
  }
}
