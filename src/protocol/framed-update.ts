import { messageType, syncType } from './message.ts'
import { headerLength, writeHeader } from './frame.ts'

/** An update with everything that brings it to clients, all views of one buffer. */
export interface FramedUpdate {
  readonly update: Uint8Array
  /** `encodeUpdate`: what a client gets, without address and frame */
  readonly message: Uint8Array
  /** `framesOf` for clients without an address */
  readonly frame: Uint8Array
}

const typeBytes = 2

/** Copies an update into a buffer of its own, between the headers with which it is sent out. */
export function frameUpdate (update: Uint8Array): FramedUpdate {
  const { length } = update
  const messageBytes = typeBytes + varUintLength(length) + length
  const messageAt = headerLength(messageBytes)
  // Not from Buffer's pool: the update is kept longer than its neighbours there.
  const frame = Buffer.allocUnsafeSlow(messageAt + messageBytes)
  writeHeader(frame, 0, messageBytes)
  frame[messageAt] = messageType.sync
  frame[messageAt + 1] = syncType.update
  const updateAt = writeVarUint(frame, messageAt + typeBytes, length)
  frame.set(update, updateAt)
  return { update: viewOf(frame, updateAt), message: viewOf(frame, messageAt), frame }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer, from: number): Uint8Array => {
  return new Uint8Array(buffer, byteOffset + from, length - from)
}

function varUintLength (value: number): number {
  let length = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++
  return length
}

/** Seven bits a byte, the lowest first (lib0/encoding.js, `writeVarUint`). @returns the position after it */
function writeVarUint (buffer: Buffer, at: number, value: number): number {
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) buffer[at++] = 128 | (rest % 128)
  buffer[at++] = rest
  return at
}
