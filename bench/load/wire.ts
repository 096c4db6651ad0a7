import { Cursor, prefixed, pushVarString } from './bytes.ts'
import { scanAwareness, scanUpdate, type Clocks } from './scan.ts'

/** The parts of a server's frame that matter to a load generator. */
export interface Decoded {
  kind: 'step1' | 'step2' | 'update' | 'awareness' | 'other'
  clocks: Clocks
}

/** The bytes between a client and a server, and when a client counts as connected. */
export interface Wire {
  path: (room: string) => string
  headers: Record<string, string>
  /** The message of an empty client when its socket opens. */
  greet: (room: string) => Uint8Array[]
  /** Whether the server answers it with step 2; if not, a client is connected as soon as its socket is. */
  syncs: boolean
  update: (room: string, update: Uint8Array) => Uint8Array
  awareness: (room: string, update: Uint8Array) => Uint8Array
  /** The answer of an empty client to the server's step 1. */
  emptyStep2: (room: string) => Uint8Array
  /** @throws on bytes that are no message of this protocol */
  decode: (frame: Uint8Array) => Decoded
}

const SYNC = 0
const AWARENESS = 1
const AUTH = 2
const SYNC_REPLY = 4
const STEP1 = 0
const STEP2 = 1
const UPDATE = 2
const NONE: Clocks = { clients: [], ends: [] }
/** State vector of an empty client, and an update without content. */
const EMPTY_STATE_VECTOR = Uint8Array.of(0)
const EMPTY_UPDATE = Uint8Array.of(0, 0)

/** @see https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md */
function decodeMessage (frame: Uint8Array, at: number): Decoded {
  const cursor = new Cursor(frame, at)
  const type = cursor.varUint()
  if (type === AWARENESS) return { kind: 'awareness', clocks: scanAwareness(frame, cursor.skipBytes()) }
  if (type !== SYNC && type !== SYNC_REPLY) return { kind: 'other', clocks: NONE }
  const step = cursor.varUint()
  if (step === STEP1) return { kind: 'step1', clocks: NONE }
  return { kind: step === STEP2 ? 'step2' : 'update', clocks: scanUpdate(frame, cursor.skipBytes()) }
}

/**
 * The y-websocket protocol: the room is the path, messages carry no name.
 * @param base the path before the room's name
 */
export function yWebsocketWire (base: string, headers: Record<string, string> = {}): Wire {
  return {
    path: (room) => base + room,
    headers,
    greet: () => [prefixed([SYNC, STEP1], EMPTY_STATE_VECTOR)],
    syncs: true,
    update: (_room, update) => prefixed([SYNC, UPDATE], update),
    awareness: (_room, update) => prefixed([AWARENESS], update),
    emptyStep2: () => prefixed([SYNC, STEP2], EMPTY_UPDATE),
    decode: (frame) => decodeMessage(frame, 0),
  }
}

/**
 * y-websocket's bytes for a relay that answers nothing: clients send no step 1, since it would go to the whole room.
 */
export const relayWire: Wire = { ...yWebsocketWire('/'), greet: () => [], syncs: false }

/**
 * The Hocuspocus protocol: each message begins with the document's name.
 * @param base the path; if it ends in `=`, the room's name is appended
 */
export function hocuspocusWire (base: string, headers: Record<string, string> = {}): Wire {
  const head = (room: string, ...types: number[]) => {
    const bytes: number[] = []
    pushVarString(bytes, room)
    bytes.push(...types)
    return bytes
  }
  return {
    path: (room) => base.endsWith('=') ? base + room : base,
    headers,
    greet: (room) => {
      const auth = head(room, AUTH, 0)
      pushVarString(auth, '')
      pushVarString(auth, '4.7.0')
      return [Uint8Array.from(auth), prefixed(head(room, SYNC, STEP1), EMPTY_STATE_VECTOR)]
    },
    syncs: true,
    update: (room, update) => prefixed(head(room, SYNC, UPDATE), update),
    awareness: (room, update) => prefixed(head(room, AWARENESS), update),
    emptyStep2: (room) => prefixed(head(room, SYNC, STEP2), EMPTY_UPDATE),
    decode: (frame) => {
      const cursor = new Cursor(frame)
      cursor.skipBytes()
      return decodeMessage(frame, cursor.at)
    },
  }
}
