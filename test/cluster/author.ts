import { EventEmitter } from 'node:events'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { encodeAwareness } from '../../src/protocol/awareness.ts'
import { encodeAwarenessMessage, encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { hocuspocusAddress } from '../../src/protocol/frame.ts'
import { asDjango } from '../helper.ts'
import { decodeHeard } from '../sync/heard.ts'

/** The Auth message with an empty token: the headers of the handshake say who this is. */
const auth = Uint8Array.of(2, 0, 0)
const retryMs = 100
const renewEveryMs = 10_000

/** Somebody who edits one document, comes back whenever the connection ends, and knows what was acknowledged. A Hocuspocus client. */
export class Author {
  readonly doc = new Y.Doc()
  readonly acknowledged: Uint8Array[] = []
  /** Who is present: client id → state */
  readonly present = new Map<number, string>()
  /** Emits `news` when anything has changed */
  readonly news = new EventEmitter().setMaxListeners(100)
  connections = 0
  readonly #room: string
  readonly #ports: readonly number[]
  readonly #address: Uint8Array
  readonly #clocks = new Map<number, number>()
  #attempt = 0
  #socket: WebSocket | undefined
  #unacknowledged: Uint8Array[] = []
  #isGone = false
  #awarenessClock = 0
  #renewal: NodeJS.Timeout

  /** @param ports of the nodes, tried one after the other */
  constructor (room: string, ports: readonly number[]) {
    this.#room = room
    this.#ports = ports
    this.#address = hocuspocusAddress(room).bytes
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this && this.#socket?.readyState === WebSocket.OPEN) this.#sendUpdate(update, encodeUpdate(update))
      this.news.emit('news')
    })
    this.#renewal = setInterval(() => { this.#showUp() }, renewEveryMs)
    this.#connect()
  }

  get text (): string { return this.doc.getText('text').toString() }
  /** Whether everything that was written is acknowledged. */
  get isSaved (): boolean { return this.#socket?.readyState === WebSocket.OPEN && this.#unacknowledged.length === 0 }

  type (text: string): void {
    const content = this.doc.getText('text')
    content.insert(content.length, text)
  }

  leave (): void {
    this.#isGone = true
    clearInterval(this.#renewal)
    this.#socket?.close()
  }

  #connect (): void {
    const port = this.#ports[this.#attempt++ % this.#ports.length]
    const socket = new WebSocket(`ws://127.0.0.1:${port}/collaboration/ws/?room=${this.#room}`, { headers: { ...asDjango, 'x-user-id': String(this.doc.clientID), 'x-session-key': `session-${this.doc.clientID}` } })
    this.#socket = socket
    this.#unacknowledged = []
    let isSilent: NodeJS.Timeout | undefined
    const alive = (): void => {
      clearTimeout(isSilent)
      // As the Hocuspocus client does, only sooner: a node that stands still does not close its sockets.
      isSilent = setTimeout(() => { socket.terminate() }, 40_000)
    }
    socket.on('error', () => {}) // 'close' follows
    socket.on('open', () => {
      alive()
      this.connections++
      this.#say(auth)
      this.#say(encodeSyncStep1(Y.encodeStateVector(this.doc)))
      this.#showUp()
    })
    socket.on('message', (frame: Buffer) => {
      alive()
      this.#hear(frame)
    })
    socket.on('close', () => {
      clearTimeout(isSilent)
      // As all clients do: who is offline sees nobody.
      this.present.clear()
      this.#clocks.clear()
      if (!this.#isGone) setTimeout(() => { if (!this.#isGone) this.#connect() }, retryMs)
    })
  }

  #showUp (): void {
    this.#say(encodeAwarenessMessage(encodeAwareness([{ clientId: this.doc.clientID, clock: ++this.#awarenessClock, state: '{"here":true}' }])))
  }

  #sendUpdate (update: Uint8Array, message: Uint8Array): void {
    this.#unacknowledged.push(update)
    this.#say(message)
  }

  #say (message: Uint8Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(Buffer.concat([this.#address, message]))
  }

  #hear (frame: Uint8Array): void {
    const heard = decodeHeard(frame, true)
    if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(this.doc, heard.bytes, this)
    if (heard.type === 'step1') {
      const missing = Y.encodeStateAsUpdate(this.doc, heard.bytes)
      this.#sendUpdate(missing, encodeSyncStep2(missing))
    }
    if (heard.type === 'status') {
      const update = this.#unacknowledged.shift()
      if (update !== undefined && heard.stored) this.acknowledged.push(update)
    }
    if (heard.type === 'awareness') {
      for (const { clientId, clock, state } of heard.entries) {
        const known = this.#clocks.get(clientId) ?? -1
        if (clock < known || (clock === known && state !== 'null')) continue
        this.#clocks.set(clientId, clock)
        if (state === 'null') this.present.delete(clientId)
        else this.present.set(clientId, state)
      }
    }
    this.news.emit('news')
  }
}

/** Resolves when it holds; looked at whenever an author has news. @throws after `timeoutMs` */
export function when (authors: readonly Author[], holds: () => boolean, timeoutMs = 60_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer)
      for (const { news } of authors) news.off('news', look)
    }
    const look = (): void => {
      if (!holds()) return
      over()
      resolve()
    }
    const timer = setTimeout(() => {
      over()
      reject(new Error(`Did not come about within ${timeoutMs} ms: ${holds}; texts of ${authors.map(({ text }) => text.length)} characters`))
    }, timeoutMs)
    for (const { news } of authors) news.on('news', look)
    look()
  })
}

/** All have the same, and everything is acknowledged. */
export const agree = (authors: readonly Author[]): boolean =>
  authors.every((author) => author.isSaved && author.text === authors[0]?.text && author.doc.store.pendingStructs === null)

/** Whether a document holds every update that was acknowledged to these authors. */
export function holdsAcknowledged (doc: Y.Doc, authors: readonly Author[]): boolean {
  const before = Buffer.from(Y.encodeStateAsUpdate(doc))
  for (const { acknowledged } of authors) for (const update of acknowledged) Y.applyUpdate(doc, update)
  return before.equals(Y.encodeStateAsUpdate(doc))
}
