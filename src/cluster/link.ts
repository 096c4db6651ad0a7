import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { NodeId } from '../bus/bus.ts'
import { encodeDatagram, type Datagram } from './datagram.ts'
import { readEntry, writeEntry, type Entry } from './entry.ts'
import { Packing } from './packing.ts'

/** Bytes at which a batch is sent at once. */
const maxBatchBytes = 128 * 1024

/**
 * The numbered channel to one other node and back. Entries are sent in batches, each with a number, so that the
 * receiver notices a missing one. It then requests a restart of the link, whose first entry names all rooms.
 */
export class Link {
  readonly node: NodeId
  readonly #send: (datagram: Uint8Array) => void
  #name: string
  #heardAt: number
  #epoch = 0
  #count = 0
  #marked = 0
  #encoder = encoding.createEncoder()
  #packing = new Packing()
  #receivedEpoch: number | undefined
  #receivedCount = 0
  #unpacking = new Packing()

  /** @param now engine time in ms */
  constructor (node: NodeId, now: number, send: (datagram: Uint8Array) => void) {
    this.node = node
    this.#name = node
    this.#heardAt = now
    this.#send = send
  }

  /** The node's name in logs and answers; its id until it has sent the name */
  get name (): string { return this.#name }
  /** Engine time in ms of the last sign of life */
  get heardAt (): number { return this.#heardAt }
  /** Whether everything that the node has sent was received; false: a restart of the link was requested. */
  get isComplete (): boolean { return this.#receivedEpoch !== undefined }

  /** The node has sent something at `now`. */
  heard (now: number): void { this.#heardAt = now }
  /** The node has sent its name. */
  named (name: string): void { this.#name = name }

  /** Starts again; entries that were not sent are dropped. The caller must add a hello as the first entry. */
  restart (): void {
    this.#epoch = 1 + Math.floor(Math.random() * 0xfffffff)
    this.#count = 0
    this.#marked = 0
    this.#encoder = encoding.createEncoder()
    this.#packing = new Packing()
  }

  /** Adds an entry to the next batch. @returns whether it is the first one */
  add (entry: Entry): boolean {
    const wasEmpty = !encoding.hasContent(this.#encoder)
    writeEntry(this.#encoder, entry)
    if (encoding.length(this.#encoder) > maxBatchBytes) this.flush()
    return wasEmpty
  }

  /** Sends the batch. */
  flush (): void {
    if (!encoding.hasContent(this.#encoder)) return
    const entries = encoding.toUint8Array(this.#encoder)
    this.#encoder = encoding.createEncoder()
    const packed = this.#packing.pack(entries)
    const place = { epoch: this.#epoch, count: ++this.#count }
    const batch = packed === undefined ? { type: 'batch' as const, entries } : { type: 'packed' as const, entries: packed }
    this.#send(encodeDatagram({ ...batch, ...place }))
  }

  /** Sends how many batches there were, unless that is known: the receiver may have missed the last one. */
  mark (): void {
    if (this.#marked === this.#count) return
    this.#marked = this.#count
    this.#send(encodeDatagram({ type: 'mark', epoch: this.#epoch, count: this.#count }))
  }

  /** Asks the other node to restart the link. */
  requestRestart (): void {
    this.#receivedEpoch = undefined
    this.#send(encodeDatagram({ type: 'again' }))
  }

  /**
   * Reads a batch or a mark.
   * @returns its entries, or undefined if something before it is missing. The entries are read one by one: malformed
   * bytes throw after the entries before them
   * @throws Error if the bytes cannot be unpacked
   */
  receive (datagram: Extract<Datagram, { type: 'batch' | 'packed' | 'mark' }>): Iterable<Entry> | undefined {
    const { epoch, count } = datagram
    if (datagram.type === 'mark') return epoch === this.#receivedEpoch && count === this.#receivedCount ? [] : undefined
    if (epoch !== this.#receivedEpoch && count === 1) {
      this.#receivedEpoch = epoch
      this.#receivedCount = 0
      this.#unpacking = new Packing()
    }
    if (epoch !== this.#receivedEpoch || count !== this.#receivedCount + 1) return undefined
    this.#receivedCount = count
    if (datagram.type === 'packed') return readEntries(this.#unpacking.unpack(datagram.entries))
    this.#unpacking.note(datagram.entries)
    return readEntries(datagram.entries)
  }
}

function * readEntries (bytes: Uint8Array): Generator<Entry> {
  const decoder = decoding.createDecoder(bytes)
  while (decoding.hasContent(decoder)) yield readEntry(decoder)
}
