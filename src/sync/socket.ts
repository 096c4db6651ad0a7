import type { PartsBudget } from './parts-budget.ts'
import type { UnreadAnswers } from './unread-answers.ts'

/** One WebSocket as the engine sees it: the engine writes to it and waits for it; its session closes it. */
export interface Socket {
  /** Bytes written that the kernel has not taken yet */
  readonly buffered: number
  /** Whether more than `MAX_SOCKET_BUFFER_BYTES` are buffered: nothing more is written until it has drained */
  readonly isFull: boolean
  /** Bytes that the kernel has taken since the connection began; a write counts once all of it is taken */
  readonly taken: number
  /** Parts that this socket can still send; documents that share the socket share it */
  readonly budget: PartsBudget
  /** Answers that wait for the client to read */
  readonly answers: UnreadAnswers
  /** Engine time in ms of the last sign of life, of the last write, and of the last ping */
  readonly heardAt: number
  readonly writtenAt: number
  readonly pingedAt: number
  /** Hands over complete frames (`framesOf`). Does nothing once the socket is closing. */
  write (frames: Uint8Array): void
  /** The same in parts (`framePartsOf`), which are sent together. They must not change before that. */
  writeParts (parts: readonly Uint8Array[]): void
  /** Resolves when `buffered` is 0 or the socket has closed, for one caller at a time (`DrainQueue`). */
  drained (): Promise<void>
  /**
   * Stops reading, so that a client cannot queue more than a few frames here. Documents that share a socket pause it
   * independently: it is read again when every pause has been undone.
   */
  pause (): void
  /** Undoes one pause. */
  resume (): void
  /** Asks for a pong, which proves that the client is reachable. */
  ping (): void
}
