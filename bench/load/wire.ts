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

const syncType = 0
const awarenessType = 1
const authType = 2
const syncReplyType = 4
const step1Type = 0
const step2Type = 1
const updateType = 2
const noClocks: Clocks = { clients: [], ends: [] }
/** State vector of an empty client, and an update without content. */
const emptyStateVector = Uint8Array.of(0)
const emptyUpdate = Uint8Array.of(0, 0)

/** @see https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md */
function decodeMessage (frame: Uint8Array, at: number): Decoded {
  const cursor = new Cursor(frame, at)
  const type = cursor.varUint()
  if (type === awarenessType) return { kind: 'awareness', clocks: scanAwareness(frame, cursor.skipBytes()) }
  if (type !== syncType && type !== syncReplyType) return { kind: 'other', clocks: noClocks }
  const step = cursor.varUint()
  if (step === step1Type) return { kind: 'step1', clocks: noClocks }
  return { kind: step === step2Type ? 'step2' : 'update', clocks: scanUpdate(frame, cursor.skipBytes()) }
}

/**
 * The y-websocket protocol: the room is the path, messages carry no name.
 * @param base the path before the room's name
 */
export function yWebsocketWire (base: string, headers: Record<string, string> = {}): Wire {
  return {
    path: (room) => base + room,
    headers,
    greet: () => [prefixed([syncType, step1Type], emptyStateVector)],
    syncs: true,
    update: (_room, update) => prefixed([syncType, updateType], update),
    awareness: (_room, update) => prefixed([awarenessType], update),
    emptyStep2: () => prefixed([syncType, step2Type], emptyUpdate),
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
      const auth = head(room, authType, 0)
      pushVarString(auth, '')
      pushVarString(auth, '4.7.0')
      return [Uint8Array.from(auth), prefixed(head(room, syncType, step1Type), emptyStateVector)]
    },
    syncs: true,
    update: (room, update) => prefixed(head(room, syncType, updateType), update),
    awareness: (room, update) => prefixed(head(room, awarenessType), update),
    emptyStep2: (room) => prefixed(head(room, syncType, step2Type), emptyUpdate),
    decode: (frame) => {
      const cursor = new Cursor(frame)
      cursor.skipBytes()
      return decodeMessage(frame, cursor.at)
    },
  }
}
