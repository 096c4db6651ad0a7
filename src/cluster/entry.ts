import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { RoomMessage, SharedPresence } from '../sync/peers/other-nodes.ts'

/** A message from one node to another. Numbers stand for rooms: `to` is the receiver's own number for the room. */
export type Entry =
  | { readonly type: 'room', readonly to: number, readonly message: RoomMessage }
  /** The sender has closed the room; everything that it has sent for it is stored */
  | { readonly type: 'closed', readonly to: number }
  /** The sender has opened a room, which has this number */
  | { readonly type: 'opened', readonly number: number, readonly name: string }
  /** The first entry of a link: all rooms that the sender has open */
  | { readonly type: 'hello', readonly rooms: ReadonlyArray<{ readonly number: number, readonly name: string }> }
  /** The log of a document has reached this position with an update that no room has sent */
  | { readonly type: 'wrote', readonly seq: number, readonly name: string }
  /** `body` is JSON: see question.ts */
  | { readonly type: 'question' | 'answer', readonly id: number, readonly body: string }

/*
 * An entry begins with a number whose two lowest bits are its kind and whose others are a room's number or the kind of
 * control: with up to 32 rooms a keystroke's update costs two bytes more than itself, with up to 4096 three.
 */
const heads = { update: 0, awareness: 1, room: 2, control: 3 } as const
const roomKinds = ['introduction', 'stored', 'read', 'compacted', 'closed'] as const
const controlKinds = ['hello', 'opened', 'question', 'answer', 'wrote'] as const

/** Bytes of a presence, at least: four numbers and two empty texts */
const minPresenceBytes = 6
/** Bytes of a room, at least: a number and an empty text */
const minRoomNameBytes = 2
/** Bytes of a run, at least: two numbers */
const minRunBytes = 2
/**
 * Log positions in one message, at most. A node reports every few seconds what a room has stored, a few hundred
 * updates; runs in random bytes could have any length.
 */
const maxSeqs = 100_000

/** Writes an entry. */
export function writeEntry (encoder: encoding.Encoder, entry: Entry): void {
  switch (entry.type) {
    case 'room':
      writeRoomMessage(encoder, entry.to, entry.message)
      break
    case 'closed':
      writeRoomHead(encoder, entry.to, 'closed')
      break
    case 'opened':
      writeControlHead(encoder, 'opened')
      writeRoomName(encoder, entry)
      break
    case 'hello':
      writeControlHead(encoder, 'hello')
      encoding.writeVarUint(encoder, entry.rooms.length)
      for (const room of entry.rooms) writeRoomName(encoder, room)
      break
    case 'wrote':
      writeControlHead(encoder, 'wrote')
      encoding.writeVarUint(encoder, entry.seq)
      encoding.writeVarString(encoder, entry.name)
      break
    case 'question':
    case 'answer':
      writeControlHead(encoder, entry.type)
      encoding.writeVarUint(encoder, entry.id)
      encoding.writeVarString(encoder, entry.body)
      break
  }
}

/** Reads an entry. @throws Error if the bytes are no entry */
export function readEntry (decoder: decoding.Decoder): Entry {
  const head = decoding.readVarUint(decoder)
  const number = Math.floor(head / 4)
  switch (head % 4) {
    case heads.update:
      return inRoom(number, { type: 'update', update: decoding.readVarUint8Array(decoder) })
    case heads.awareness:
      return inRoom(number, { type: 'awareness', entries: readPresences(decoder) })
    case heads.room:
      return readRoomMessage(decoder, number)
    default:
      return readControl(decoder, number)
  }
}

function writeRoomMessage (encoder: encoding.Encoder, to: number, message: RoomMessage): void {
  switch (message.type) {
    case 'update':
      encoding.writeVarUint(encoder, to * 4 + heads.update)
      encoding.writeVarUint8Array(encoder, message.update)
      break
    case 'awareness':
      encoding.writeVarUint(encoder, to * 4 + heads.awareness)
      writePresences(encoder, message.entries)
      break
    case 'introduction':
      writeRoomHead(encoder, to, message.type)
      encoding.writeVarUint(encoder, message.lastSeq)
      writePresences(encoder, message.entries)
      break
    case 'stored':
      writeRoomHead(encoder, to, message.type)
      encoding.writeVarUint(encoder, message.unsaved)
      writeSeqs(encoder, message.seqs)
      break
    case 'read':
      writeRoomHead(encoder, to, message.type)
      break
    case 'compacted':
      writeRoomHead(encoder, to, message.type)
      for (const size of [message.snapshotBytes, message.logBytes, message.logEntries]) {
        encoding.writeVarUint(encoder, size)
      }
      break
  }
}

function readRoomMessage (decoder: decoding.Decoder, to: number): Entry {
  const kind = roomKinds[decoding.readVarUint(decoder)]
  switch (kind) {
    case 'introduction':
      return inRoom(to, { type: kind, lastSeq: decoding.readVarUint(decoder), entries: readPresences(decoder) })
    case 'stored':
      return inRoom(to, { type: kind, unsaved: decoding.readVarUint(decoder), seqs: readSeqs(decoder) })
    case 'read':
      return inRoom(to, { type: kind })
    case 'compacted':
      return inRoom(to, {
        type: kind,
        snapshotBytes: decoding.readVarUint(decoder),
        logBytes: decoding.readVarUint(decoder),
        logEntries: decoding.readVarUint(decoder),
      })
    case 'closed':
      return { type: 'closed', to }
    default:
      throw new Error('A message for a room of an unknown kind')
  }
}

const inRoom = (to: number, message: RoomMessage): Entry => ({ type: 'room', to, message })

function readControl (decoder: decoding.Decoder, number: number): Entry {
  const kind = controlKinds[number]
  switch (kind) {
    case 'hello':
      return {
        type: kind,
        rooms: Array.from({ length: readCount(decoder, minRoomNameBytes) }, () => readRoomName(decoder)),
      }
    case 'opened':
      return { type: kind, ...readRoomName(decoder) }
    case 'wrote':
      return { type: kind, seq: decoding.readVarUint(decoder), name: decoding.readVarString(decoder) }
    case 'question':
    case 'answer':
      return { type: kind, id: decoding.readVarUint(decoder), body: decoding.readVarString(decoder) }
    default:
      throw new Error('A control message of an unknown kind')
  }
}

function writeRoomHead (encoder: encoding.Encoder, to: number, kind: typeof roomKinds[number]): void {
  encoding.writeVarUint(encoder, to * 4 + heads.room)
  encoding.writeVarUint(encoder, roomKinds.indexOf(kind))
}

function writeControlHead (encoder: encoding.Encoder, kind: typeof controlKinds[number]): void {
  encoding.writeVarUint(encoder, controlKinds.indexOf(kind) * 4 + heads.control)
}

interface NumberedRoom { readonly number: number, readonly name: string }

function writeRoomName (encoder: encoding.Encoder, { number, name }: NumberedRoom): void {
  encoding.writeVarUint(encoder, number)
  encoding.writeVarString(encoder, name)
}

const readRoomName = (decoder: decoding.Decoder): NumberedRoom =>
  ({ number: decoding.readVarUint(decoder), name: decoding.readVarString(decoder) })

function writePresences (encoder: encoding.Encoder, entries: readonly SharedPresence[]): void {
  encoding.writeVarUint(encoder, entries.length)
  for (const { clientId, clock, state, person, since, leftMs } of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, person)
    encoding.writeVarUint(encoder, since)
    encoding.writeVarUint(encoder, leftMs)
    encoding.writeVarString(encoder, state)
  }
}

function readPresences (decoder: decoding.Decoder): SharedPresence[] {
  return Array.from({ length: readCount(decoder, minPresenceBytes) }, () => {
    const clientId = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    const person = decoding.readVarString(decoder)
    const since = decoding.readVarUint(decoder)
    const leftMs = decoding.readVarUint(decoder)
    return { clientId, clock, person, since, leftMs, state: decoding.readVarString(decoder) }
  })
}

/** Writes positions as runs: those of one node are mostly consecutive. */
function writeSeqs (encoder: encoding.Encoder, seqs: readonly number[]): void {
  const runs: Array<{ start: number, length: number }> = []
  for (const seq of seqs) {
    const last = runs.at(-1)
    if (last !== undefined && seq === last.start + last.length) last.length++
    else runs.push({ start: seq, length: 1 })
  }
  encoding.writeVarUint(encoder, runs.length)
  let end = 0
  for (const { start, length } of runs) {
    encoding.writeVarUint(encoder, start - end)
    encoding.writeVarUint(encoder, length)
    end = start + length
  }
}

function readSeqs (decoder: decoding.Decoder): number[] {
  const seqs: number[] = []
  let end = 0
  for (let runs = readCount(decoder, minRunBytes); runs > 0; runs--) {
    const start = end + decoding.readVarUint(decoder)
    const length = decoding.readVarUint(decoder)
    end = start + length
    if (seqs.length + length > maxSeqs || !Number.isSafeInteger(end)) {
      throw new Error('More log positions than a node can have stored')
    }
    for (let seq = start; seq < end; seq++) seqs.push(seq)
  }
  return seqs
}

/** Reads the number of items that take at least `minBytes` each: a larger number than fits allocates nothing. */
function readCount (decoder: decoding.Decoder, minBytes: number): number {
  const count = decoding.readVarUint(decoder)
  if (count * minBytes > decoder.arr.length - decoder.pos) throw new Error('More items announced than were sent')
  return count
}
