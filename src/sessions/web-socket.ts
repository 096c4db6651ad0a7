import type { Socket as TcpSocket } from 'node:net'
import type { WebSocket } from 'ws'
import { reasonFor, type CloseReason } from '../protocol/close-codes.ts'
import { DrainQueue } from '../sync/drain-queue.ts'
import { PartsBudget } from '../sync/parts-budget.ts'
import type { Socket } from '../sync/socket.ts'
import { UnreadAnswers } from '../sync/unread-answers.ts'
import { Inbound, type InboundOptions, type Occupant } from './inbound.ts'

/**
 * Where `ws` keeps the stream below a WebSocket. Complete frames are written to it directly; test/sessions/
 * web-socket.test.ts compares them with those of `ws`.
 */
interface WithStream { readonly _socket: TcpSocket }

/** Buffered bytes above which only the last ping is answered. */
const maxBufferedForPong = 64 * 1024

/** ms in which a peer must answer a close frame. */
const closeTimeoutMs = 5000

const nothing = Buffer.alloc(0)

/** What all sockets of a process share. */
export interface SocketOptions extends InboundOptions {
  /** Buffered bytes above which a socket is full */
  readonly maxBufferedBytes: number
}

/**
 * A WebSocket of `ws` as the engine's Socket. It writes complete frames past `ws`, which would build a header for each
 * of a thousand sockets.
 */
export class WsSocket implements Socket {
  readonly #ws: WebSocket
  readonly #stream: TcpSocket
  readonly #now: () => number
  readonly #cutting: (reason: CloseReason) => void
  readonly #inbound: Inbound
  readonly #maxBufferedBytes: number
  #heardAt: number
  #writtenAt: number
  #pingedAt = -Infinity
  readonly budget: PartsBudget
  readonly answers = new UnreadAnswers()
  readonly #drainQueue = new DrainQueue(() => this.#drained())
  #pauses = 0
  #owedPong: Buffer | undefined

  /** @param cutting called with the reason when the socket is closed because of an unfinished message */
  constructor (ws: WebSocket, options: SocketOptions, cutting: (reason: CloseReason) => void) {
    this.#ws = ws
    // Set once the handshake is done, before the WebSocket is handed out.
    this.#stream = (ws as unknown as WithStream)._socket
    this.#now = options.now
    this.#cutting = cutting
    this.#inbound = new Inbound(ws, options, (reason) => { this.#cut(reason) })
    this.#maxBufferedBytes = options.maxBufferedBytes
    this.#heardAt = this.#writtenAt = options.now()
    this.budget = new PartsBudget(this.#heardAt)
  }

  get heardAt (): number { return this.#heardAt }
  get writtenAt (): number { return this.#writtenAt }
  get pingedAt (): number { return this.#pingedAt }
  get buffered (): number { return this.#stream.writableLength }
  get isFull (): boolean { return this.#stream.writableLength > this.#maxBufferedBytes }

  /** Whether the client reads what is written, so that a pong makes sense. */
  get isRead (): boolean { return this.buffered <= maxBufferedForPong }

  /** Notes a sign of life. */
  heard (): void { this.#heardAt = this.#now() }

  /** Node's `bytesWritten` includes buffered bytes. */
  get taken (): number { return this.#stream.bytesWritten - this.#stream.writableLength }

  /** A message is complete. @returns its length if bytes of it were discarded, so that the rest is useless; else 0 */
  received (): number {
    this.heard()
    return this.#inbound.finished()
  }

  /** The client is in a document: it can send larger messages. */
  letIn (occupant: Occupant): void { this.#inbound.letIn(occupant) }

  /** Sets the bytes of its messages that wait for a verdict. */
  keepWaiting (bytes: number): void { this.#inbound.keepWaiting(bytes) }

  write (frames: Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#writtenAt = this.#now()
    this.#stream.write(frames)
  }

  writeParts (parts: readonly Uint8Array[]): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#writtenAt = this.#now()
    this.#stream.cork()
    for (const part of parts) this.#stream.write(part)
    this.#stream.uncork()
  }

  drained (): Promise<void> { return this.#drainQueue.wait() }

  #drained (): Promise<void> {
    if (this.buffered === 0 || this.#stream.destroyed) return Promise.resolve()
    // 'drain' is emitted only above the high-water mark; the callback of an empty write is always called, even if the
    // stream fails.
    return new Promise((resolve) => { this.#stream.write(nothing, () => { resolve() }) })
  }

  pause (): void {
    if (this.#pauses++ === 0) this.#ws.pause()
  }

  resume (): void {
    if (--this.#pauses > 0) return
    this.#inbound.resumed()
    this.#ws.resume()
  }

  /** Answers a ping; if the client does not read, only the last one, later. `ws` would buffer an answer to each. */
  pong (data: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    const copy = Buffer.from(data) // a view would keep the whole chunk of the stream
    if (this.isRead) return this.#ws.pong(copy)
    const isWaiting = this.#owedPong !== undefined
    this.#owedPong = copy
    if (!isWaiting) this.drained().then(() => { this.#payPong() }, () => {})
  }

  #payPong (): void {
    const data = this.#owedPong
    this.#owedPong = undefined
    if (data !== undefined) this.pong(data)
  }

  ping (): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#pingedAt = this.#now()
    this.#ws.ping()
  }

  close (reason: CloseReason): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#inbound.closed()
    this.#ws.resume() // the answer to the close frame must be read
    this.#ws.close(reason.code, reasonFor(reason))
    setTimeout(() => { this.#ws.terminate() }, closeTimeoutMs).unref()
  }

  terminate (): void { this.#ws.terminate() }

  /** A half-closed socket cannot be sent a close frame. */
  #cut (reason: CloseReason): void {
    this.#cutting(reason)
    if (this.#ws.readyState === this.#ws.OPEN) this.close(reason)
    else this.terminate()
  }
}
