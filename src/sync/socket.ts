import type { CloseReason } from '../protocol/close-codes.ts'

/** One WebSocket as the engine sees it: it can be written to, waited for and closed. */
export interface Socket {
  /** Bytes written that the kernel has not taken yet */
  readonly buffered: number
  /** Engine time in ms of the last sign of life, and of the last write */
  readonly heardAt: number
  readonly writtenAt: number
  /** Hands over ready frames (`framesOf`). Does nothing once the socket is closing. */
  write (frames: Uint8Array): void
  /** Resolves when `buffered` is 0 or the socket has closed. */
  drained (): Promise<void>
  /**
   * Stops and resumes reading, so that a client cannot queue more than a few frames here. Documents that share a socket
   * pause it each for itself: it is read again when every pause has been undone.
   */
  pause (): void
  resume (): void
  /** Asks for a pong, which proves that somebody is there. */
  ping (): void
  close (reason: CloseReason): void
  /** Ends the connection without a handshake, for a peer that no longer answers. */
  terminate (): void
}
