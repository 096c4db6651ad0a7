import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** What goes over the bus at once. */
export type Datagram =
  /** To everyone, every few seconds: the sender lives. `name` is what people call it */
  | { readonly type: 'beat', readonly name: string }
  /** Entries, the `count`th of the link that began with this epoch; packed: see `Packing` */
  | { readonly type: 'batch' | 'packed', readonly epoch: number, readonly count: number, readonly entries: Uint8Array }
  /** How many batches the link has carried: for whoever has missed the last one */
  | { readonly type: 'mark', readonly epoch: number, readonly count: number }
  /** The sender has lost the thread: begin the link anew */
  | { readonly type: 'again' }
  /** To everyone: the sender stops. All that it has sent is stored */
  | { readonly type: 'bye' }

/** Raised when a node of the version before would not understand this one: such nodes do not hear each other. */
const version = 3
const types = ['beat', 'batch', 'packed', 'mark', 'again', 'bye'] as const

export function encodeDatagram (datagram: Datagram): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeUint8(encoder, version * 16 + types.indexOf(datagram.type))
  if (datagram.type === 'beat') encoding.writeVarString(encoder, datagram.name)
  if ('epoch' in datagram) {
    encoding.writeVarUint(encoder, datagram.epoch)
    encoding.writeVarUint(encoder, datagram.count)
  }
  if ('entries' in datagram) encoding.writeUint8Array(encoder, datagram.entries)
  return encoding.toUint8Array(encoder)
}

/**
 * @returns undefined for a datagram of another version
 * @throws Error where the bytes are none
 */
export function decodeDatagram (bytes: Uint8Array): Datagram | undefined {
  const decoder = decoding.createDecoder(bytes)
  const first = decoding.readUint8(decoder)
  if (first >> 4 !== version) return undefined
  const type = types[first % 16]
  switch (type) {
    case 'beat':
      return { type, name: decoding.readVarString(decoder) }
    case 'batch':
    case 'packed':
      return { type, epoch: decoding.readVarUint(decoder), count: decoding.readVarUint(decoder), entries: decoding.readTailAsUint8Array(decoder) }
    case 'mark':
      return { type, epoch: decoding.readVarUint(decoder), count: decoding.readVarUint(decoder) }
    case 'again':
    case 'bye':
      return { type }
    default:
      throw new Error('A datagram of an unknown type')
  }
}
