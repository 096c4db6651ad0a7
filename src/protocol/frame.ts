import * as encoding from 'lib0/encoding'

/**
 * What stands before each message to a client: nothing for y-websocket, the document's address for Hocuspocus.
 * Clients with the same address can share frames; `key` tells it.
 */
export interface Address {
  readonly key: string
  readonly bytes: Uint8Array
}

export const noAddress: Address = { key: '', bytes: new Uint8Array(0) }

/** The address of a Hocuspocus client, from the name it uses (with its session id, where it has one). */
export function hocuspocusAddress (name: string): Address {
  const encoder = encoding.createEncoder()
  encoding.writeVarString(encoder, name)
  return { key: name, bytes: encoding.toUint8Array(encoder) }
}

/**
 * A message of at least this many bytes is not copied for each address. Copying a small one costs less than a second
 * buffer in the socket's queue; a large one would fill the memory once for every socket that reads slowly.
 */
export const sharedMessageBytes = 64 * 1024

/** FIN and the opcode of a binary frame (RFC 6455, section 5.2) */
const finalBinary = 0x82

/**
 * Messages as unmasked, final, binary WebSocket frames, one behind the other in one buffer, ready to be written to a
 * socket as they are (no extension negotiated). Byte for byte what `ws` writes for `send(message)` of each.
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
 * The bytes of `framesOf` as parts to be written one behind the other. Large messages are the given arrays themselves,
 * so that any number of sockets with any addresses hold them once.
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

const headerLength = (length: number): number => length < 126 ? 2 : length < 65536 ? 4 : 10

function writeHeader (frames: Buffer, at: number, length: number): number {
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
