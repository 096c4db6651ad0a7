import { decodeHocuspocus } from '../protocol/decode-message.ts'
import type { Address } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'

/** State vector of a client that has nothing */
const hasNothing = Uint8Array.of(0)

/**
 * A document on a Hocuspocus socket that is not open: its credentials are being judged or have not arrived, or the
 * client has left it.
 */
export class WaitingDocument {
  readonly address: Address
  readonly documentName: string
  #token: string
  #isBeingJudged = false
  #isLeft = false
  #hasReturned = false
  #frames: Uint8Array[] = []
  #bytes = 0

  /** @param token the client's latest token, if it has sent one */
  constructor (address: Address, documentName: string, token = '') {
    this.address = address
    this.documentName = documentName
    this.#token = token
  }

  /** The client's latest token; empty: it has sent none */
  get token (): string { return this.#token }
  /** Whether the client's access is being judged. */
  get isBeingJudged (): boolean { return this.#isBeingJudged }
  /** Whether the client has closed it. A provider of it can be attached all the same, and send messages. */
  get isLeft (): boolean { return this.#isLeft }
  get frameCount (): number { return this.#frames.length }
  get bytes (): number { return this.#bytes }

  /** The client's access is being judged by a token. */
  judging (token: string): void {
    this.#isBeingJudged = true
    this.#token = token
  }

  /** The client's access has been judged. */
  judged (): void { this.#isBeingJudged = false }

  /** The client has closed it. */
  leave (): void { this.#isLeft = true }

  /** The client continues as if it had not closed it. */
  return (): void {
    this.#isLeft = false
    this.#hasReturned = true
  }

  /** Keeps a frame for when the document is open. A copy: a view would keep the whole chunk of the stream. */
  add (frame: Uint8Array): void {
    this.#frames.push(Uint8Array.from(frame))
    this.#bytes += frame.length
  }

  /** Drops what was kept. */
  forget (): void {
    this.#frames = []
    this.#bytes = 0
  }

  /** The messages that were kept, in order. A client that has returned sends no step 1 again, and gets everything. */
  messages (): ClientMessage[] {
    const messages = this.#frames.map((frame) => decodeHocuspocus(frame).message)
    const needsStep1 = this.#hasReturned && !messages.some(({ type }) => type === 'sync-step-1')
    return needsStep1 ? [{ type: 'sync-step-1', stateVector: hasNothing }, ...messages] : messages
  }
}
