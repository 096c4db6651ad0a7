import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** One message over the bus. */
export type Datagram =
  /** To all nodes, every few seconds: the sender is alive. `name` is its name in logs and answers */
  | { readonly type: 'beat', readonly name: string }
  /** Entries, the `count`th of the link that began with this epoch; packed: see `Packing` */
  | { readonly type: 'batch' | 'packed', readonly epoch: number, readonly count: number, readonly entries: Uint8Array }
  /** How many batches the link has carried: for a node that has missed the last one */
  | { readonly type: 'mark', readonly epoch: number, readonly count: number }
  /** The sender has missed a batch: restart the link */
  | { readonly type: 'again' }
  /** To all nodes: the sender stops. Everything that it has sent is stored */
  | { readonly type: 'bye' }

/** Raised when older nodes would not understand this one. Nodes of different versions ignore each other's datagrams. */
const version = 4
const types = ['beat', 'batch', 'packed', 'mark', 'again', 'bye'] as const

/** Writes a datagram. */
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
 * Reads a datagram.
 * @returns undefined for one of another version
 * @throws Error if the bytes are no datagram
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
      return { type, ...readPlace(decoder), entries: decoding.readTailAsUint8Array(decoder) }
    case 'mark':
      return { type, ...readPlace(decoder) }
    case 'again':
    case 'bye':
      return { type }
    default:
      throw new Error('A datagram of an unknown type')
  }
}

const readPlace = (decoder: decoding.Decoder): { epoch: number, count: number } =>
  ({ epoch: decoding.readVarUint(decoder), count: decoding.readVarUint(decoder) })
