import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { NodeId } from '../bus/bus.ts'
import { encodeDatagram, type Datagram } from './datagram.ts'
import { readEntry, writeEntry, type Entry } from './entry.ts'
import { Packing } from './packing.ts'

/** A batch is sent at once when it has grown to this. */
const maxBatchBytes = 128 * 1024

/**
 * The way to one other node and back. Entries are gathered and sent as one; each batch has a number, so that the receiver
 * sees when one is missing. Then it asks for a new beginning, whose first entry says all that it must know.
 */
export class Link {
  readonly node: NodeId
  /** What people call it */
  name: string
  /** Engine time in ms of the last sign of life */
  heardAt: number
  readonly #send: (datagram: Uint8Array) => void
  #epoch = 0
  #count = 0
  #marked = 0
  #encoder = encoding.createEncoder()
  #packing = new Packing()
  #heardEpoch: number | undefined
  #heardCount = 0
  #unpacking = new Packing()

  constructor (node: NodeId, now: number, send: (datagram: Uint8Array) => void) {
    this.node = node
    this.name = node
    this.heardAt = now
    this.#send = send
  }

  /** Whether what comes is understood; else the other node is to begin anew. */
  get isFollowed (): boolean { return this.#heardEpoch !== undefined }

  /** Begins anew; what was gathered is forgotten. The caller adds a hello first. */
  begin (): void {
    this.#epoch = 1 + Math.floor(Math.random() * 0xfffffff)
    this.#count = 0
    this.#marked = 0
    this.#encoder = encoding.createEncoder()
    this.#packing = new Packing()
  }

  /** @returns whether there is something to flush that was not there before */
  add (entry: Entry): boolean {
    const wasEmpty = !encoding.hasContent(this.#encoder)
    writeEntry(this.#encoder, entry)
    if (encoding.length(this.#encoder) > maxBatchBytes) this.flush()
    return wasEmpty
  }

  flush (): void {
    if (!encoding.hasContent(this.#encoder)) return
    const entries = encoding.toUint8Array(this.#encoder)
    this.#encoder = encoding.createEncoder()
    const packed = this.#packing.pack(entries)
    const place = { epoch: this.#epoch, count: ++this.#count }
    this.#send(encodeDatagram(packed === undefined ? { type: 'batch', ...place, entries } : { type: 'packed', ...place, entries: packed }))
  }

  /** Says how much was sent, if that was not said before. */
  mark (): void {
    if (this.#marked === this.#count) return
    this.#marked = this.#count
    this.#send(encodeDatagram({ type: 'mark', epoch: this.#epoch, count: this.#count }))
  }

  askAgain (): void {
    this.#heardEpoch = undefined
    this.#send(encodeDatagram({ type: 'again' }))
  }

  /**
   * Reads a batch or a mark.
   * @returns its entries, or undefined where something is missing before it. They are read one by one: where the bytes are no
   * entry, that throws after those before it
   * @throws Error where the bytes cannot be unpacked
   */
  receive (datagram: Extract<Datagram, { type: 'batch' | 'packed' | 'mark' }>): Iterable<Entry> | undefined {
    const { epoch, count } = datagram
    if (datagram.type === 'mark') return epoch === this.#heardEpoch && count === this.#heardCount ? [] : undefined
    if (epoch !== this.#heardEpoch && count === 1) {
      this.#heardEpoch = epoch
      this.#heardCount = 0
      this.#unpacking = new Packing()
    }
    if (epoch !== this.#heardEpoch || count !== this.#heardCount + 1) return undefined
    this.#heardCount = count
    if (datagram.type === 'packed') return readEntries(this.#unpacking.unpack(datagram.entries))
    this.#unpacking.note(datagram.entries)
    return readEntries(datagram.entries)
  }
}

function * readEntries (bytes: Uint8Array): Generator<Entry> {
  const decoder = decoding.createDecoder(bytes)
  while (decoding.hasContent(decoder)) yield readEntry(decoder)
}
