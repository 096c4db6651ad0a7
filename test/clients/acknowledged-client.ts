import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { hocuspocusAddress } from '../../src/protocol/frame.ts'
import { asDjango } from '../helper.ts'
import { Changes } from './changes.ts'
import { decodeHeard, type Heard } from './heard.ts'

/** The Auth message with an empty token: the headers of the handshake name the user. */
const auth = Uint8Array.of(2, 0, 0)
const emptyUpdateBytes = 2

/** How an acknowledged client connects. */
export interface AcknowledgedOptions {
  /** Its content counts as sent; default: an empty document */
  readonly doc?: Y.Doc
  /** Default: those of Django */
  readonly headers?: Record<string, string>
}

/**
 * A Hocuspocus client without reconnection: it knows exactly what was sent on its one socket, and how much of it was
 * acknowledged. Its document applies everything the service sends.
 */
export class AcknowledgedClient {
  readonly doc: Y.Doc
  readonly changes = new Changes()
  /** Resolves when the service has sent its whole document */
  readonly synced: Promise<void>
  /** Resolves with the close code when the socket has closed; never rejects */
  readonly closed: Promise<number>
  /** Called when the socket has opened */
  onOpen: () => void = () => {}
  /** Called with each message of the service */
  onHeard: (heard: Heard) => void = () => {}
  /** Called with each update that was acknowledged, in the order they were sent */
  onAcknowledged: (update: Uint8Array) => void = () => {}
  /** Called with each update that the service will not store; throws unless replaced */
  onRejected: (update: Uint8Array) => void = () => { throw new Error('An update was rejected') }
  readonly #socket: WebSocket
  readonly #address: Uint8Array
  readonly #unacknowledged: Uint8Array[] = []
  #becomeSynced: () => void = () => {}

  constructor (port: number, room: string, { doc = new Y.Doc(), headers = asDjango }: AcknowledgedOptions = {}) {
    this.doc = doc
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/collaboration/ws/?room=${encodeURIComponent(room)}`, { headers })
    this.#address = hocuspocusAddress(room).bytes
    this.synced = new Promise((resolve) => { this.#becomeSynced = resolve })
    const send = (update: Uint8Array, origin: unknown): void => {
      if (origin !== this) this.#sendUpdate(update, encodeUpdate(update))
    }
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code) => {
        doc.off('update', send)
        resolve(code)
        this.changes.note()
      })
    })
    this.#socket.on('error', () => {}) // 'close' follows, and says enough
    this.#socket.on('open', () => {
      doc.on('update', send)
      this.say(auth)
      this.say(encodeSyncStep1(Y.encodeStateVector(doc)))
      this.onOpen()
    })
    this.#socket.on('message', (frame: Buffer) => {
      this.#hear(frame)
      this.changes.note()
    })
  }

  get isOpen (): boolean { return this.#socket.readyState === WebSocket.OPEN }

  /** How many updates wait for their acknowledgement. */
  get waiting (): number { return this.#unacknowledged.length }

  /** Resolves when `check` holds, tested after each event. */
  async until (check: () => boolean): Promise<void> { await this.changes.until(check) }

  /** Sends a message, while the socket is open. */
  say (message: Uint8Array): void {
    if (this.isOpen) this.#socket.send(Buffer.concat([this.#address, message]))
  }

  leave (): void { this.#socket.close() }

  /** Ends the connection at once, without a close frame. */
  terminate (): void { this.#socket.terminate() }

  #sendUpdate (update: Uint8Array, message: Uint8Array): void {
    this.#unacknowledged.push(update)
    this.say(message)
  }

  #hear (frame: Uint8Array): void {
    const heard = decodeHeard(frame, true)
    if (heard.type === 'step1') {
      const missing = Y.encodeStateAsUpdate(this.doc, heard.bytes)
      // If nothing is missing, an answer would be acknowledged like an update.
      if (missing.length > emptyUpdateBytes) this.#sendUpdate(missing, encodeSyncStep2(missing))
    }
    if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(this.doc, heard.bytes, this)
    if (heard.type === 'step2') this.#becomeSynced()
    if (heard.type === 'status') {
      const update = this.#unacknowledged.shift()
      if (update === undefined) throw new Error('More was acknowledged than was sent')
      if (heard.stored) this.onAcknowledged(update)
      else this.onRejected(update)
    }
    this.onHeard(heard)
  }
}

/** Reads a document with an empty client. @throws if it cannot be opened */
export async function readDocument (port: number, room: string): Promise<Y.Doc> {
  const client = new AcknowledgedClient(port, room)
  const code = await Promise.race([client.synced, client.closed])
  if (code !== undefined) throw new Error(`${room} does not open: closed with ${code}`)
  client.leave()
  await client.closed
  return client.doc
}
