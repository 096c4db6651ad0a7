import { decodeHocuspocus } from '../protocol/decode-message.ts'
import type { Address } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'

/** State vector of a client that has nothing */
const hasNothing = Uint8Array.of(0)

/**
 * A document on a Hocuspocus socket that is not open: its credentials are being judged or still to come, or the client has
 * left it.
 */
export class WaitingDocument {
  readonly address: Address
  readonly documentName: string
  /** What the client has shown last */
  token: string
  /** Whether somebody is being asked what the client may do */
  isAsked = false
  /** The client has closed it. A provider of it may be attached all the same, and speak. */
  isLeft = false
  /** It was left, and the client goes on as if it were open */
  hasReturned = false
  #frames: Uint8Array[] = []
  #bytes = 0

  constructor (address: Address, documentName: string, token = '') {
    this.address = address
    this.documentName = documentName
    this.token = token
  }

  get frameCount (): number { return this.#frames.length }
  get bytes (): number { return this.#bytes }

  /** Keeps a frame for when the document is open. A copy: a view would keep the whole chunk it came in. */
  add (frame: Uint8Array): void {
    this.#frames.push(Uint8Array.from(frame))
    this.#bytes += frame.length
  }

  forget (): void {
    this.#frames = []
    this.#bytes = 0
  }

  /** What was kept, in order. One that has returned does not say again what it has, and is sent everything. */
  messages (): ClientMessage[] {
    const messages = this.#frames.map((frame) => decodeHocuspocus(frame).message)
    const mustAsk = this.hasReturned && !messages.some(({ type }) => type === 'sync-step-1')
    return mustAsk ? [{ type: 'sync-step-1', stateVector: hasNothing }, ...messages] : messages
  }
}
