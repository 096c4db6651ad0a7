import type { Socket as TcpSocket } from 'node:net'
import type { WebSocket } from 'ws'
import { reasonFor, type CloseReason } from '../protocol/close-codes.ts'
import { PartsBudget } from '../sync/parts-budget.ts'
import type { Socket } from '../sync/socket.ts'

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
  heardAt: number
  writtenAt: number
  readonly budget: PartsBudget
  #pauses = 0
  #owedPong: Buffer | undefined

  constructor (ws: WebSocket, now: () => number) {
    this.#ws = ws
    // Set as soon as the handshake is done, which it is where a WebSocket is handed out.
    this.#stream = (ws as unknown as WithStream)._socket
    this.#now = now
    this.heardAt = this.writtenAt = now()
    this.budget = new PartsBudget(this.heardAt)
  }

  get buffered (): number { return this.#stream.writableLength }

  /** Whether the other end takes what is written, so that a pong makes sense. */
  get isRead (): boolean { return this.buffered <= maxBufferedForPong }

  /** Notes a sign of life. */
  heard (): void { this.heardAt = this.#now() }

  /** `bytesWritten` of Node counts what waits, too. */
  get taken (): number { return this.#stream.bytesWritten - this.#stream.writableLength }

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

  drained (): Promise<void> {
    if (this.buffered === 0 || this.#stream.destroyed) return Promise.resolve()
    // 'drain' only comes above the high-water mark; the callback of an empty write always does, also when the stream fails.
    return new Promise((resolve) => { this.#stream.write(nothing, () => { resolve() }) })
  }

  pause (): void {
    if (this.#pauses++ === 0) this.#ws.pause()
  }

  resume (): void {
    if (--this.#pauses === 0) this.#ws.resume()
  }

  /** Answers a ping; where much waits to be read, the last one only, behind that. `ws` by itself would answer all of them into memory. */
  pong (data: Buffer): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    if (this.isRead) return this.#ws.pong(data)
    const isWaiting = this.#owedPong !== undefined
    this.#owedPong = data
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
    this.#ws.resume() // the answer to the close frame must be read
    this.#ws.close(reason.code, reasonFor(reason))
    setTimeout(() => { this.#ws.terminate() }, closeTimeoutMs).unref()
  }

  terminate (): void { this.#ws.terminate() }
}
