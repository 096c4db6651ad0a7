import * as Y from 'yjs'
import { encodeAwareness } from '../../src/protocol/awareness.ts'
import { encodeAwarenessMessage } from '../../src/protocol/encode-message.ts'
import { asDjango } from '../helper.ts'
import { AcknowledgedClient } from './acknowledged-client.ts'
import { Changes } from './changes.ts'
import type { Heard } from './heard.ts'

const retryMs = 100
/** ms between two renewals of presence; awareness states last 30 s */
const renewEveryMs = 10_000
/**
 * ms without a message after which the connection is given up, as the Hocuspocus client does: a node that hangs does
 * not close its sockets.
 */
const maxSilenceMs = 40_000

/**
 * An author who edits one document, reconnects whenever the connection ends, and knows what was acknowledged. A
 * Hocuspocus client.
 */
export class Author {
  readonly doc = new Y.Doc()
  readonly changes = new Changes()
  readonly acknowledged: Uint8Array[] = []
  /** Who is present: client id → state */
  readonly present = new Map<number, string>()
  connections = 0
  readonly #room: string
  readonly #ports: readonly number[]
  readonly #clocks = new Map<number, number>()
  readonly #renewal: NodeJS.Timeout
  #attempt = 0
  #client: AcknowledgedClient | undefined
  #hasLeft = false
  #awarenessClock = 0

  /** @param ports of the nodes, tried one after the other */
  constructor (room: string, ports: readonly number[]) {
    this.#room = room
    this.#ports = ports
    this.doc.on('update', this.changes.note)
    this.#renewal = setInterval(() => { this.#showUp() }, renewEveryMs)
    this.#connect()
  }

  get text (): string { return this.doc.getText('text').toString() }
  /** Whether every update was acknowledged. */
  get isSaved (): boolean { return this.#client?.isOpen === true && this.#client.waiting === 0 }

  type (text: string): void {
    const content = this.doc.getText('text')
    content.insert(content.length, text)
  }

  leave (): void {
    this.#hasLeft = true
    clearInterval(this.#renewal)
    this.#client?.leave()
  }

  #connect (): void {
    const port = this.#ports[this.#attempt++ % this.#ports.length] ?? 0
    const { clientID } = this.doc
    const headers = { ...asDjango, 'x-user-id': String(clientID), 'x-session-key': `session-${clientID}` }
    const client = this.#client = new AcknowledgedClient(port, this.#room, { doc: this.doc, headers })
    let silence: NodeJS.Timeout | undefined
    const restartSilence = (): void => {
      clearTimeout(silence)
      silence = setTimeout(() => { client.terminate() }, maxSilenceMs)
    }
    client.onOpen = () => {
      restartSilence()
      this.connections++
      this.#showUp()
    }
    client.onHeard = (heard) => {
      restartSilence()
      if (heard.type === 'awareness') this.#see(heard)
      this.changes.note()
    }
    client.onAcknowledged = (update) => { this.acknowledged.push(update) }
    client.onRejected = () => {}
    client.closed.then(() => {
      clearTimeout(silence)
      // As in all clients: without a connection nobody is visible.
      this.present.clear()
      this.#clocks.clear()
      if (!this.#hasLeft) setTimeout(() => { if (!this.#hasLeft) this.#connect() }, retryMs)
    })
  }

  #showUp (): void {
    const entry = { clientId: this.doc.clientID, clock: ++this.#awarenessClock, state: '{"here":true}' }
    this.#client?.say(encodeAwarenessMessage(encodeAwareness([entry])))
  }

  #see ({ entries }: Extract<Heard, { type: 'awareness' }>): void {
    for (const { clientId, clock, state } of entries) {
      const known = this.#clocks.get(clientId) ?? -1
      if (clock < known || (clock === known && state !== 'null')) continue
      this.#clocks.set(clientId, clock)
      if (state === 'null') this.present.delete(clientId)
      else this.present.set(clientId, state)
    }
  }
}

/** Whether all have the same document, and everything is acknowledged. */
export function agree (authors: readonly Author[]): boolean {
  const [first] = authors
  return authors.every(({ isSaved, text, doc }) => isSaved && text === first?.text && doc.store.pendingStructs === null)
}

/** Whether a document contains every update that was acknowledged to these authors. */
export function holdsAcknowledged (doc: Y.Doc, authors: readonly Author[]): boolean {
  const before = Buffer.from(Y.encodeStateAsUpdate(doc))
  for (const { acknowledged } of authors) for (const update of acknowledged) Y.applyUpdate(doc, update)
  return before.equals(Y.encodeStateAsUpdate(doc))
}
