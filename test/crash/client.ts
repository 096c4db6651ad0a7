import { once } from 'node:events'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { encodeSyncStep1, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { hocuspocusAddress } from '../../src/protocol/frame.ts'
import { asDjango } from '../helper.ts'
import { decodeHeard } from '../sync/heard.ts'

/** The Auth message with an empty token: the headers of the handshake say who this is. */
const auth = Uint8Array.of(2, 0, 0)

/**
 * A Hocuspocus client without reconnection: what was sent on one socket, and how much of it was acknowledged, is exact.
 * Its document takes everything the service sends.
 */
export class Client {
  readonly doc = new Y.Doc()
  /** Resolves when the service has sent all it had */
  readonly synced: Promise<void>
  /** Resolves when the socket has closed, with its close code; never rejects */
  readonly closed: Promise<number>
  /** Called with each update that was acknowledged, in the order they were sent */
  onAcknowledged: (update: Uint8Array) => void = () => {}
  readonly #socket: WebSocket
  readonly #address: Uint8Array
  readonly #unacknowledged: Uint8Array[] = []
  #becomeSynced: () => void = () => {}

  constructor (port: number, room: string) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/collaboration/ws/?room=${encodeURIComponent(room)}`, { headers: asDjango })
    this.#address = hocuspocusAddress(room).bytes
    this.synced = new Promise((resolve) => { this.#becomeSynced = resolve })
    this.closed = new Promise((resolve) => { this.#socket.once('close', resolve) })
    this.#socket.on('error', () => {}) // 'close' follows, and says enough
    this.#socket.on('open', () => {
      this.#say(auth)
      this.#say(encodeSyncStep1(Y.encodeStateVector(this.doc)))
    })
    this.#socket.on('message', (frame: Buffer) => { this.#hear(frame) })
    this.doc.on('update', (update: Uint8Array, origin: unknown) => { if (origin !== this) this.#send(update) })
  }

  get isOpen (): boolean { return this.#socket.readyState === WebSocket.OPEN }

  /** How many updates wait for their acknowledgement. */
  get waiting (): number { return this.#unacknowledged.length }

  /** Resolves when the next frame has come, or none will. */
  async heard (): Promise<void> {
    const over = new AbortController()
    await Promise.race([once(this.#socket, 'message', over), this.closed]).finally(() => { over.abort() })
  }

  leave (): void {
    this.#socket.close()
  }

  #send (update: Uint8Array): void {
    this.#unacknowledged.push(update)
    this.#say(encodeUpdate(update))
  }

  #say (message: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(Buffer.concat([this.#address, message]))
  }

  #hear (frame: Uint8Array): void {
    const heard = decodeHeard(frame, true)
    if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(this.doc, heard.bytes, this)
    if (heard.type === 'step2') this.#becomeSynced()
    if (heard.type === 'status') {
      const update = this.#unacknowledged.shift()
      if (update === undefined || !heard.stored) throw new Error(update === undefined ? 'More was acknowledged than was sent' : 'An update was refused')
      this.onAcknowledged(update)
    }
  }
}

/** Reads a document as a newcomer does. @throws where it cannot be opened */
export async function readDocument (port: number, room: string): Promise<Y.Doc> {
  const client = new Client(port, room)
  const code = await Promise.race([client.synced, client.closed])
  if (code !== undefined) throw new Error(`${room} does not open: closed with ${code}`)
  client.leave()
  await client.closed
  return client.doc
}
