import * as encoding from 'lib0/encoding'

/**
 * The bytes before each message to a client: none for y-websocket, the document's address for Hocuspocus. Clients with
 * the same address, by its `key`, share frames.
 */
export interface Address {
  readonly key: string
  readonly bytes: Uint8Array
}

/** The address of y-websocket clients */
export const noAddress: Address = { key: '', bytes: new Uint8Array(0) }

/** The address of a Hocuspocus client, from the name that it uses (with its session id, if it has one). */
export function hocuspocusAddress (name: string): Address {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, name)
  return { key: name, bytes: encoding.toUint8Array(encoder) }
}

/**
 * Bytes from which on a message is not copied for each address. Copying a small one costs less than a second buffer in
 * the socket's queue; copies of a large one would fill the memory once for every socket that reads slowly.
 */
export const sharedMessageBytes = 64 * 1024

/** FIN and the opcode of a binary frame (RFC 6455, section 5.2) */
const finalBinary = 0x82

/**
 * Messages as unmasked, final, binary WebSocket frames, one after the other in one buffer, ready to be written to a
 * socket (no extension negotiated). The bytes equal those that `ws` writes for `send(message)` of each.
 */
export function framesOf (address: Address, messages: readonly Uint8Array[]): Buffer {
  let size = 0
  for (const message of messages) {
    const length = address.bytes.length + message.length
    size += headerLength(length) + length
  }
  const frames = Buffer.allocUnsafe(size)
  let at = 0
  for (const message of messages) {
    at = writeHeader(frames, at, address.bytes.length + message.length)
    frames.set(address.bytes, at)
    at += address.bytes.length
    frames.set(message, at)
    at += message.length
  }
  return frames
}

/**
 * The bytes of `framesOf` as parts, to be written in order. Large messages are the given arrays themselves, so that any
 * number of sockets with any addresses hold them once.
 */
export function framePartsOf (address: Address, messages: readonly Uint8Array[]): Uint8Array[] {
  if (!messages.some(isLarge)) return [framesOf(address, messages)]
  const parts: Uint8Array[] = []
  let small: Uint8Array[] = []
  for (const message of messages) {
    if (!isLarge(message)) {
      small.push(message)
      continue
    }
    if (small.length > 0) parts.push(framesOf(address, small))
    small = []
    const length = address.bytes.length + message.length
    const head = Buffer.allocUnsafe(headerLength(length) + address.bytes.length)
    head.set(address.bytes, writeHeader(head, 0, length))
    parts.push(head, message)
  }
  if (small.length > 0) parts.push(framesOf(address, small))
  return parts
}

const isLarge = (message: Uint8Array): boolean => message.length >= sharedMessageBytes

/** Bytes of the header of a frame with a payload of this length. */
export const headerLength = (length: number): number => length < 126 ? 2 : length < 65536 ? 4 : 10

/** Writes the header of a final, binary frame. @returns the position after it */
export function writeHeader (frames: Buffer, at: number, length: number): number {
  frames[at] = finalBinary
  if (length < 126) {
    frames[at + 1] = length
    return at + 2
  }
  if (length < 65536) {
    frames[at + 1] = 126
    frames.writeUInt16BE(length, at + 2)
    return at + 4
  }
  frames[at + 1] = 127
  frames.writeUInt16BE(0, at + 2)
  frames.writeUIntBE(length, at + 4, 6)
  return at + 10
}
