import type { Socket as TcpSocket } from 'node:net'
import type { WebSocket } from 'ws'
import { reasonFor, type CloseReason } from '../protocol/close-codes.ts'
import { DrainQueue } from '../sync/drain-queue.ts'
import { PartsBudget } from '../sync/parts-budget.ts'
import type { Socket } from '../sync/socket.ts'
import { UnreadAnswers } from '../sync/unread-answers.ts'
import { Inbound, type InboundOptions, type Occupant } from './inbound.ts'

/** `ws` keeps the stream below a WebSocket here; ready frames go to it directly (test/sessions/web-socket.test.ts holds them against those of `ws`). */
interface WithStream { readonly _socket: TcpSocket }

/** Behind more bytes than this only the last ping is answered. */
const maxBufferedForPong = 64 * 1024

/** A peer that does not answer a close frame within this many ms is cut off. */
const closeTimeoutMs = 5000

const nothing = Buffer.alloc(0)

/** A WebSocket of `ws` as the engine's Socket. Writes ready frames past `ws`, which would build a header for each of a thousand sockets. */
export class WsSocket implements Socket {
  readonly #ws: WebSocket
  readonly #stream: TcpSocket
  readonly #now: () => number
  readonly #cutting: (reason: CloseReason) => void
  readonly #inbound: Inbound
  heardAt: number
  writtenAt: number
  readonly budget: PartsBudget
  readonly answers = new UnreadAnswers()
  readonly #drainQueue = new DrainQueue(() => this.#drained())
  #pauses = 0
  #owedPong: Buffer | undefined

  /** @param cutting called with the reason when the socket is closed because of an unfinished message */
  constructor (ws: WebSocket, options: InboundOptions, cutting: (reason: CloseReason) => void) {
    this.#ws = ws
    // Set as soon as the handshake is done, which it is where a WebSocket is handed out.
    this.#stream = (ws as unknown as WithStream)._socket
    this.#now = options.now
    this.#cutting = cutting
    this.#inbound = new Inbound(ws, options, (reason) => { this.#cut(reason) })
    this.heardAt = this.writtenAt = options.now()
    this.budget = new PartsBudget(this.heardAt)
  }

  get buffered (): number { return this.#stream.writableLength }

  /** Whether the other end takes what is written, so that a pong makes sense. */
  get isRead (): boolean { return this.buffered <= maxBufferedForPong }

  /** Notes a sign of life. */
  heard (): void { this.heardAt = this.#now() }

  /** `bytesWritten` of Node counts what waits, too. */
  get taken (): number { return this.#stream.bytesWritten - this.#stream.writableLength }
  /** Notes a whole message. @returns its length where bytes of it were discarded, so that the rest means nothing; else 0 */
  received (): number {
    this.heard()
    return this.#inbound.finished()
  }

  /** The client is in a document: it may send more than a stranger may. */
  letIn (occupant: Occupant): void { this.#inbound.letIn(occupant) }

  /** How many bytes of its messages wait for a verdict now. */
  keepWaiting (bytes: number): void { this.#inbound.keepWaiting(bytes) }

  write (frames: Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.writtenAt = this.#now()
    this.#stream.write(frames)
  }

  writeParts (parts: readonly Uint8Array[]): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.writtenAt = this.#now()
    this.#stream.cork()
    for (const part of parts) this.#stream.write(part)
    this.#stream.uncork()
  }

  drained (): Promise<void> { return this.#drainQueue.wait() }

  #drained (): Promise<void> {
    if (this.buffered === 0 || this.#stream.destroyed) return Promise.resolve()
    // 'drain' only comes above the high-water mark; the callback of an empty write always does, also when the stream fails.
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

  /** Answers a ping; where much waits to be read, the last one only, behind that. `ws` by itself would answer all of them into memory. */
  pong (data: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    const copy = Buffer.from(data) // the data is a view that would keep the whole chunk it came in
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

  ping (): void { if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping() }

  close (reason: CloseReason): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#inbound.closed()
    this.#ws.resume() // the answer to the close frame must be read
    this.#ws.close(reason.code, reasonFor(reason))
    setTimeout(() => { this.#ws.terminate() }, closeTimeoutMs).unref()
  }

  terminate (): void { this.#ws.terminate() }

  /** A socket that is half closed takes no close frame any more. */
  #cut (reason: CloseReason): void {
    this.#cutting(reason)
    if (this.#ws.readyState === this.#ws.OPEN) this.close(reason)
    else this.terminate()
  }
}
