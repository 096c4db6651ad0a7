import type { WebSocket } from 'ws'
import type { CloseReason } from '../protocol/close-codes.ts'
import type { InboundBudget, Sender } from './inbound-budget.ts'

type Write = (chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) => void

/**
 * Where `ws` keeps incomplete messages (ws/lib/receiver.js; test/sessions/unfinished.test.ts fails if a version
 * differs).
 */
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

/** Bytes of the largest message of a socket that is in no document. A state vector of 50,000 sessions takes 300 KB. */
export const maxBytesBeforeAdmission = 512 * 1024
/**
 * Bytes above which a message of a client that can only read is discarded while it arrives. If a page with much offline
 * work were closed instead, it would send the same message forever. A reader's valid messages (step 1, awareness) are
 * smaller.
 */
const maxReaderBytes = 1024 * 1024

/** Bytes that a chunk of the stream takes besides its content, and a view of one (measured on Node 20: 780 and 100). */
const chunkBytes = 768
const viewBytes = 128
/** Bytes of payload, and part of what is held, that count as progress: a message that takes more must be faster. */
const leastProgressBytes = 16 * 1024
const leastProgressPart = 1 / 32

/** The client of a socket, looked up when a message is large. */
export interface Occupant {
  readonly canEdit: boolean
  readonly userId: string | undefined
}

/** What all sockets of a process share. */
export interface InboundOptions {
  readonly inbound: InboundBudget
  /** Largest message of a client in a document */
  readonly maxMessageBytes: number
  /** Engine time in ms, monotonic */
  now (): number
}

/**
 * Counts the bytes that `ws` holds of one socket's message until it is complete. A small frame in the middle of a chunk
 * keeps the chunk in memory, so chunks are counted, including control frames.
 */
export class Inbound implements Sender {
  readonly #ws: WebSocket
  readonly #options: InboundOptions
  readonly #receiver: Receiver
  readonly #close: (reason: CloseReason) => void
  #occupant: Occupant | undefined
  /** Bytes held of the incomplete message; 0 = there is none */
  #unfinished = 0
  /** Length of the incomplete message if bytes of it were discarded; stays above 0 once the socket is closed */
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
    // Another 'data' listener would be slower: with two, each event copies the list of listeners.
    receiver._write = (chunk, encoding, done) => {
      write.call(receiver, chunk, encoding, done)
      this.#look(chunk.length)
    }
    ws.once('close', () => { this.closed() })
  }

  get owner (): string | undefined { return this.#occupant?.userId }

  /** Messages can be as large as the occupant's rights allow from now on. */
  letIn (occupant: Occupant): void {
    this.#occupant = occupant
    this.#receiver._maxPayload = this.#options.maxMessageBytes
  }

  /** A message is complete. @returns its length if bytes of it were discarded, so that the rest is useless; else 0 */
  finished (): number {
    const discarded = this.#discarded
    if (this.#unfinished > 0) this.#setUnfinished(0)
    return discarded
  }

  /** Sets the bytes of complete messages that wait for a verdict. */
  keepWaiting (bytes: number): void {
    if (this.#isClosed) return
    this.#waiting = bytes
    this.#setUnfinished(this.#unfinished)
  }

  /** Reading continues after a pause of this service: the client's time starts again. */
  resumed (): void { this.#progressedAt = this.#options.now() }

  stalledMs (now: number): number {
    return this.#unfinished === 0 || this.#ws.isPaused ? 0 : now - this.#progressedAt
  }

  cut (reason: CloseReason): void {
    this.closed()
    this.#close(reason)
  }

  /** Bytes that still arrive are not held. */
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
    if (this.#isClosed) return
    this.#options.inbound.set(this, bytes + this.#receiver._numFragments * viewBytes + this.#waiting)
  }

  /** Only payload counts as progress, and only enough of it: no control frame, no empty fragment. */
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

  /** Drops the bytes that have arrived. The frame seems shorter by them, so its end and later frames are found. */
  #discard (): void {
    const receiver = this.#receiver
    receiver._fragments = []
    if (receiver._state !== awaitingPayload || receiver._opcode >= firstControlOpcode) return
    receiver._payloadLength -= receiver._bufferedBytes
    receiver._buffers = []
    receiver._bufferedBytes = 0
  }
}
