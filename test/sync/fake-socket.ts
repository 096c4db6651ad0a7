import type { CloseReason } from '../../src/protocol/close-codes.ts'
import { DrainQueue } from '../../src/sync/drain-queue.ts'
import { PartsBudget } from '../../src/sync/parts-budget.ts'
import type { Socket } from '../../src/sync/socket.ts'
import { UnreadAnswers } from '../../src/sync/unread-answers.ts'

/** A socket whose other end is a function. It can stop reading, as a phone in a tunnel does. */
export class FakeSocket implements Socket {
  buffered = 0
  heardAt: number
  writtenAt: number
  pingedAt = -Infinity
  closed: CloseReason | undefined
  pings = 0
  /** The number of calls of write */
  writes = 0
  taken = 0
  readonly budget: PartsBudget
  readonly answers = new UnreadAnswers()
  readonly #drainQueue = new DrainQueue(() => this.#empty())
  #pauses = 0
  readonly #now: () => number
  readonly #onFrames: (frames: Buffer) => void
  #isReading = true
  #unread: Buffer[] = []
  #drained: Array<() => void> = []

  readonly #maxBufferedBytes: number

  /** @param maxBufferedBytes above which it is full */
  constructor (now: () => number, onFrames: (frames: Buffer) => void, maxBufferedBytes = Infinity) {
    this.#maxBufferedBytes = maxBufferedBytes
    this.#now = now
    this.#onFrames = onFrames
    this.heardAt = this.writtenAt = now()
    this.budget = new PartsBudget(this.heardAt)
  }

  get isFull (): boolean { return this.buffered > this.#maxBufferedBytes }

  heard (): void { this.heardAt = this.#now() }

  write (frames: Uint8Array): void {
    if (this.closed !== undefined) return
    this.writes++
    this.writtenAt = this.#now()
    const copy = Buffer.from(frames)
    if (this.#isReading) {
      this.taken += copy.length
      this.#onFrames(copy)
    } else {
      this.#unread.push(copy)
      this.buffered += copy.length
    }
  }

  writeParts (parts: readonly Uint8Array[]): void { this.write(Buffer.concat(parts)) }

  drained (): Promise<void> { return this.#drainQueue.wait() }

  #empty (): Promise<void> {
    if (this.buffered === 0 || this.closed !== undefined) return Promise.resolve()
    return new Promise((resolve) => { this.#drained.push(resolve) })
  }

  get paused (): boolean { return this.#pauses > 0 }
  pause (): void { this.#pauses++ }
  resume (): void {
    if (--this.#pauses < 0) throw new Error('Resumed more often than paused')
  }

  ping (): void {
    this.pings++
    this.pingedAt = this.#now()
  }

  terminate (): void { this.close({ code: 1006, reason: '' }) }

  close (reason: CloseReason): void {
    this.closed ??= reason
    this.#free()
  }

  /** Makes the other end stop reading. */
  stopReading (): void { this.#isReading = false }

  /** Makes the other end read everything that has accumulated, and continue. */
  read (): void {
    this.#isReading = true
    const unread = this.#unread.splice(0)
    this.taken += this.buffered
    this.buffered = 0
    for (const frames of unread) this.#onFrames(frames)
    this.#free()
  }

  #free (): void {
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}
