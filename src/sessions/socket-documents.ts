import { Connection } from '../sync/connection.ts'
import { maxBytesBeforeAdmission } from './inbound.ts'
import type { WaitingDocument } from './waiting-document.ts'

/** Documents on one socket, open or not */
const maxDocuments = 200
/** Messages that can wait on one socket for verdicts; a client without access must not fill the memory. */
const maxWaitingMessages = 500
const maxWaitingBytes = 2 * maxBytesBeforeAdmission

/** A document of a socket: open, or waiting for a verdict or for the client to return. */
export type SocketDocument = Connection | WaitingDocument

/** The documents of one Hocuspocus socket, by address, and the messages that wait for them. */
export class SocketDocuments {
  readonly #documents = new Map<string, SocketDocument>()
  readonly #keepWaiting: (bytes: number) => void
  #waitingMessages = 0
  #waitingBytes = 0

  /** @param keepWaiting called with the bytes of all messages that wait, whenever they change */
  constructor (keepWaiting: (bytes: number) => void) {
    this.#keepWaiting = keepWaiting
  }

  get all (): SocketDocument[] { return [...this.#documents.values()] }
  get connections (): Connection[] { return this.all.filter((document) => document instanceof Connection) }

  get (address: string): SocketDocument | undefined { return this.#documents.get(address) }

  /** Whether the client has left all of them. */
  get areLeft (): boolean { return this.#waiting((document) => document.isLeft) }

  /** Whether none is open, and access to none is being judged. */
  get areIdle (): boolean { return this.#waiting((document) => !document.isBeingJudged) }

  #waiting (holds: (document: WaitingDocument) => boolean): boolean {
    return this.all.every((document) => !(document instanceof Connection) && holds(document))
  }

  set (document: SocketDocument): void { this.#documents.set(document.address.key, document) }

  /** Removes an open document. */
  delete ({ address }: Connection): void { this.#documents.delete(address.key) }

  /** Keeps a frame for a document. @returns false if too much waits on the socket */
  keep (waiting: WaitingDocument, frame: Uint8Array): boolean {
    waiting.add(frame)
    this.#count(1, frame.length)
    return this.#waitingMessages <= maxWaitingMessages && this.#waitingBytes <= maxWaitingBytes
  }

  /** Removes a document that waits; it keeps its messages. */
  stopWaiting ({ address, frameCount, bytes }: WaitingDocument): void {
    this.#documents.delete(address.key)
    this.#count(-frameCount, -bytes)
  }

  #count (messages: number, bytes: number): void {
    this.#waitingMessages += messages
    this.#waitingBytes += bytes
    this.#keepWaiting(this.#waitingBytes)
  }

  /** Makes room for one more, if need be by removing one that the client has left. @returns false: there is no room */
  makeRoom (): boolean {
    if (this.#documents.size < maxDocuments) return true
    for (const document of this.#documents.values()) {
      if (document instanceof Connection || !document.isLeft || document.isBeingJudged) continue
      this.stopWaiting(document)
      return true
    }
    return false
  }

  clear (): void {
    for (const document of this.#documents.values()) if (!(document instanceof Connection)) document.forget()
    this.#documents.clear()
  }
}
