import { EventEmitter, once } from 'node:events'
import { HocuspocusProvider, WebSocketStatus } from 'hocuspocus-provider3'
import { WebSocket } from 'ws'
import * as Y from 'yjs'

export interface PageOptions {
  /** `ws://host:port/collaboration/ws/` */
  readonly wsUrl: string
  readonly document: string
  /** The origin of the page. */
  readonly origin: string
  /** '' for a browser without cookies. */
  readonly cookie: string
  /** The content stored by Django: the page fills its document with it before it connects. */
  readonly content?: Uint8Array
}

/**
 * The collaboration of La Suite's page, 5.7: a Hocuspocus provider 3 on a socket of its own, and the page's rules for
 * reconnecting. It reconnects at once, where the page waits for 1 to 4 s.
 */
export class Page {
  readonly doc = new Y.Doc()
  readonly provider: HocuspocusProvider
  /** Every end of its sockets, first to last. */
  readonly closes: Array<{ code: number, reason: string }> = []
  readonly denied: string[] = []
  /** Whether the editor is shown, however the connection ended. */
  isReady = false
  isConnected = false
  isSynced = false
  /** Whether it has stopped for good. */
  hasStopped = false
  readonly #events = new EventEmitter()

  constructor ({ wsUrl, document, origin, cookie, content }: PageOptions) {
    if (content !== undefined) Y.applyUpdate(this.doc, content)
    const headers = { origin, ...(cookie !== '' && { cookie }) }
    const closes = this.closes
    class BrowserSocket extends WebSocket {
      constructor (url: string | URL, protocols?: string | string[]) {
        super(url, protocols, { headers })
        // A handshake that fails; the close event follows.
        this.on('error', () => {})
        this.on('close', (code, reason) => { closes.push({ code, reason: reason.toString() }) })
      }
    }
    const socket = { url: `${wsUrl}?room=${encodeURIComponent(document)}`, WebSocketPolyfill: BrowserSocket }
    this.provider = new HocuspocusProvider({
      ...socket,
      name: document,
      document: this.doc,
      onAuthenticationFailed: ({ reason }) => this.#change(() => {
        this.denied.push(reason)
        this.isReady = true
        this.isConnected = false
      }),
      onAuthenticated: () => this.#change(() => { this.isReady = this.isConnected = true }),
      onSynced: ({ state }) => this.#change(() => {
        this.isSynced = state
        this.isReady = true
      }),
      onStatus: ({ status }) => this.#change(() => {
        if (status === WebSocketStatus.Connected) return
        this.isConnected = false
        this.isReady ||= status === WebSocketStatus.Disconnected
      }),
      // "Reset Connection", in the protocol: the page does not wait for the socket to close.
      onClose: ({ event }) => { if (event.code === 1000) this.provider.disconnect() },
      onDisconnect: ({ event }) => this.#change(() => { this.#disconnected(event) }),
    })
    this.doc.on('update', () => { this.#change(() => {}) })
    this.provider.on('unsyncedChanges', () => { this.#change(() => {}) })
  }

  get text (): string {
    return this.doc.getText('text').toString()
  }

  write (text: string): void {
    this.doc.getText('text').insert(this.doc.getText('text').length, text)
  }

  /** Waits until `check` holds, tested after every event of the page. */
  async until (check: (page: this) => boolean): Promise<void> {
    while (!check(this)) await once(this.#events, 'change')
  }

  destroy (): void {
    this.hasStopped = true
    this.provider.destroy()
    this.doc.destroy()
  }

  #disconnected ({ code, reason }: { readonly code: number, readonly reason: string }): void {
    // 1006: a network failure, after which the provider itself retries.
    if (this.hasStopped || code === 1006) return
    if (code === 4001 && reason === 'No cookies') {
      this.hasStopped = true
      this.provider.disconnect()
      this.isReady = true
      this.isConnected = false
      return
    }
    this.provider.connect().catch(() => {})
  }

  #change (apply: () => void): void {
    apply()
    this.#events.emit('change')
  }
}

interface Test { teardown (undo: () => unknown): unknown }

/** Opens a document as La Suite's page does; it is closed with the test. */
export function openPage (t: Test, options: PageOptions): Page {
  const page = new Page(options)
  t.teardown(() => { page.destroy() })
  return page
}
