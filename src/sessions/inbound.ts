import type { WebSocket } from 'ws'
import type { CloseReason } from '../protocol/close-codes.ts'
import type { InboundBudget, Sender } from './inbound-budget.ts'

type Write = (chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) => void

/** Where `ws` keeps what has not arrived whole (ws/lib/receiver.js; test/sessions/unfinished.test.ts fails where a version differs). */
interface Receiver {
  _write: Write
  _maxPayload: number
  readonly _state: number
  /** Within `_write`, so within every handler of a message */
  readonly _loop: boolean
  /** Of the frame under way */
  readonly _opcode: number
  _payloadLength: number
  /** Chunks of the stream that belong to the frame under way, and their bytes */
  _buffers: Buffer[]
  _bufferedBytes: number
  /** Opcode of the message whose next fragment is awaited; 0 = none */
  readonly _fragmented: number
  /** Payloads of the message so far */
  _fragments: Buffer[]
  readonly _numFragments: number
  /** Announced length of the message's frames so far */
  readonly _totalPayloadLength: number
}
interface WithReceiver { readonly _receiver: Receiver }

/** States of the Receiver */
const awaitingFrame = 0
const awaitingMask = 3
const awaitingPayload = 4
const firstControlOpcode = 8

/** Largest message, in bytes, of a socket that is in no document yet. A state vector of 50,000 sessions takes 300 KB. */
export const maxStrangerBytes = 512 * 1024
/**
 * A larger message, in bytes, of a client that can only read is discarded while it arrives: a page with long offline
 * work would be closed and would send the same again for ever. What a reader may send (step 1, awareness) is smaller.
 */
const maxReaderBytes = 1024 * 1024

/** What a chunk of the stream takes beside its bytes, and what a view of one takes (measured on Node 20: 780 and 100 bytes). */
const chunkBytes = 768
const viewBytes = 128
/** Progress is this many bytes of payload, and this part of what is held: the more memory a message takes, the faster it must come. */
const leastProgressBytes = 16 * 1024
const leastProgressPart = 1 / 32

/** Who is on a socket, looked up when a message is large. */
export interface Occupant {
  readonly canEdit: boolean
  readonly userId: string | undefined
}

/** What all sockets of a process have in common. */
export interface InboundOptions {
  readonly inbound: InboundBudget
  /** Largest message of a client in a document */
  readonly maxMessageBytes: number
  /** Engine time in ms, monotonic */
  now (): number
}

/**
 * Counts what one socket has sent and `ws` holds, until the message is whole. A small frame that stands in the middle of
 * a chunk keeps the chunk in memory, so chunks are counted, control frames among them too.
 */
export class Inbound implements Sender {
  readonly #ws: WebSocket
  readonly #options: InboundOptions
  readonly #receiver: Receiver
  readonly #close: (reason: CloseReason) => void
  #occupant: Occupant | undefined
  /** Bytes held of the message under way; 0 = none is under way */
  #unfinished = 0
  /** Length of the message under way, where bytes of it were discarded; stays above 0 once the socket is closed */
  #discarded = 0
  /** Bytes of messages that wait for a verdict */
  #waiting = 0
  /** Payload at the last progress, and its engine time in ms */
  #progress = 0
  #progressedAt = 0
  #isClosed = false

  constructor (ws: WebSocket, options: InboundOptions, close: (reason: CloseReason) => void) {
    this.#ws = ws
    this.#options = options
    this.#close = close
    const receiver = this.#receiver = (ws as unknown as WithReceiver)._receiver // set when the handshake is done
    const write = receiver._write
    // Not by another 'data' listener: with two, each event copies the list of them.
    receiver._write = (chunk, encoding, done) => {
      write.call(receiver, chunk, encoding, done)
      this.#look(chunk.length)
    }
    ws.once('close', () => { this.closed() })
  }

  get owner (): string | undefined { return this.#occupant?.userId }

  /** From now on messages may be as large as the occupant's rights allow. */
  letIn (occupant: Occupant): void {
    this.#occupant = occupant
    this.#receiver._maxPayload = this.#options.maxMessageBytes
  }

  /** A message has arrived whole. @returns its length where bytes of it were discarded, so that the rest means nothing; else 0 */
  finished (): number {
    const discarded = this.#discarded
    if (this.#unfinished > 0) this.#setUnfinished(0)
    return discarded
  }

  /** Counts the bytes of messages that have arrived and wait for a verdict. */
  keepWaiting (bytes: number): void {
    if (this.#isClosed) return
    this.#waiting = bytes
    this.#setUnfinished(this.#unfinished)
  }

  /** Reading goes on after a pause of ours: the client is given its time anew. */
  resumed (): void { this.#progressedAt = this.#options.now() }

  stalledMs (now: number): number {
    return this.#unfinished === 0 || this.#ws.isPaused ? 0 : now - this.#progressedAt
  }

  cut (reason: CloseReason): void {
    this.closed()
    this.#close(reason)
  }

  /** Nothing that still comes is held. */
  closed (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#unfinished = 0
    this.#discarded = 1
    this.#options.inbound.set(this, 0)
    if (!this.#receiver._loop) this.#discard()
  }

  /** Runs after each chunk. Nearly every chunk ends with a message: then there is nothing to do. */
  #look (chunkLength: number): void {
    const { _state, _fragmented, _bufferedBytes } = this.#receiver
    if (_bufferedBytes === 0 && _fragmented === 0 && _state === awaitingFrame) {
      if (this.#unfinished > 0) this.#setUnfinished(0)
    } else if (this.#isClosed) this.#discard()
    else if (this.#isTooLargeForReader()) {
      this.#discarded = this.#receiver._totalPayloadLength
      this.#discard()
      this.#noteProgress()
      this.#setUnfinished(chunkBytes)
    } else {
      this.#noteProgress()
      this.#setUnfinished(this.#unfinished + chunkLength + chunkBytes)
    }
  }

  #isTooLargeForReader (): boolean {
    return this.#receiver._totalPayloadLength > maxReaderBytes && this.#occupant?.canEdit === false
  }

  #setUnfinished (bytes: number): void {
    this.#unfinished = bytes
    if (bytes === 0) this.#discarded = this.#progress = 0
    if (!this.#isClosed) this.#options.inbound.set(this, bytes + this.#receiver._numFragments * viewBytes + this.#waiting)
  }

  /** Only payload is progress: no control frame, no empty fragment, and few bytes are none. */
  #noteProgress (): void {
    const arrived = this.#arrivedPayload()
    const isFirst = this.#unfinished === 0
    if (!isFirst && arrived - this.#progress < leastProgressBytes + this.#unfinished * leastProgressPart) return
    this.#progress = isFirst ? 0 : arrived
    this.#progressedAt = this.#options.now()
  }

  #arrivedPayload (): number {
    const { _state, _opcode, _totalPayloadLength, _payloadLength, _bufferedBytes } = this.#receiver
    const isWithinFrame = _opcode < firstControlOpcode && (_state === awaitingMask || _state === awaitingPayload)
    return isWithinFrame ? _totalPayloadLength - _payloadLength + _bufferedBytes : _totalPayloadLength
  }

  /** Lets go of what has arrived, so that the frame seems shorter by it; its end and the frames after it are still found. */
  #discard (): void {
    const receiver = this.#receiver
    receiver._fragments = []
    if (receiver._state !== awaitingPayload || receiver._opcode >= firstControlOpcode) return
    receiver._payloadLength -= receiver._bufferedBytes
    receiver._buffers = []
    receiver._bufferedBytes = 0
  }
}
