import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

/** One person's browser: keeps cookies, sends an Origin, opens editors. */
export class Browser {
  readonly origin: string
  readonly #cookies = new Map<string, string>()
  readonly #editors = new Set<Editor>()

  /** @param origin of its pages, such as http://127.0.0.1:8080 */
  constructor (origin: string) {
    this.origin = origin
  }

  get cookie (): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Signs in on Django's page, as a demo user whose password is the name. */
  async signIn (name: string): Promise<void> {
    await this.fetch('/login/')
    const body = new URLSearchParams({ username: name, password: name, csrfmiddlewaretoken: this.#cookies.get('csrftoken') ?? '' })
    const answer = await this.fetch('/login/', { method: 'POST', body })
    if (answer.status !== 302) throw new Error(`${name} could not sign in: ${answer.status}`)
  }

  /** A request of a page's script. Redirects are returned. */
  async fetch (path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(this.origin + path, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie: this.cookie, origin: this.origin, 'x-csrftoken': this.#cookies.get('csrftoken') ?? '' },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return answer
  }

  /** Creates a document and returns its id, which is also its room. */
  async createDocument (title: string): Promise<string> {
    const body = new URLSearchParams({ title, csrfmiddlewaretoken: this.#cookies.get('csrftoken') ?? '' })
    const answer = await this.fetch('/', { method: 'POST', body })
    const id = /^\/documents\/([^/]+)\/$/.exec(answer.headers.get('location') ?? '')?.[1]
    if (id === undefined) throw new Error(`Django made no document: ${answer.status}`)
    return id
  }

  /** Grants a user a role, or revokes it. */
  async share (id: string, username: string, right: 'edit' | 'read' | 'none'): Promise<void> {
    const path = `/api/v1.0/documents/${id}/shares/`
    const answer = right === 'none'
      ? await this.fetch(`${path}${username}/`, { method: 'DELETE' })
      : await this.fetch(path, { method: 'POST', body: JSON.stringify({ username, can_edit: right === 'edit' }) })
    if (!answer.ok) throw new Error(`Django did not change the share: ${answer.status}`)
  }

  /** Opens a room with a stock y-websocket client. */
  open (room: string, options: EditorOptions = {}): Editor {
    const editor = new Editor(this, room, options)
    this.#editors.add(editor)
    return editor
  }

  /** Closes its editors. */
  close (): void {
    for (const editor of this.#editors) editor.destroy()
  }
}

export interface EditorOptions {
  /** Headers that the author of a hostile page would send. */
  headers?: Record<string, string>
  params?: Record<string, string>
  origin?: string
}

/** A room that is open in a browser: the document, the provider, and every end of a connection. */
export class Editor {
  readonly doc = new Y.Doc()
  readonly provider: WebsocketProvider
  /** Close codes, first to last. */
  readonly closeCodes: number[] = []
  /** The answers to the handshakes, headers included: they must not contain a secret. */
  readonly handshakes: string[] = []

  constructor (browser: Browser, room: string, { headers = {}, params = {}, origin = browser.origin }: EditorOptions) {
    const sent = { cookie: browser.cookie, origin, ...headers }
    const handshakes = this.handshakes
    class BrowserSocket extends WebSocket {
      constructor (address: string | URL, protocols?: string | string[]) {
        super(address, protocols, { headers: sent })
        this.on('upgrade', (response) => handshakes.push(JSON.stringify(response.headers)))
        this.on('unexpected-response', (_request, response) => {
          handshakes.push(`${response.statusCode} ${JSON.stringify(response.headers)}`)
          response.resume()
          // A browser sees no status, only a failed connection.
          this.emit('error', new Error('The handshake failed.'))
          this.terminate()
        })
      }
    }
    this.provider = new WebsocketProvider(`${browser.origin.replace(/^http/, 'ws')}/collaboration/ws`, room, this.doc, {
      params,
      disableBc: true,
      // ws implements the part of the browser's WebSocket that y-websocket uses.
      WebSocketPolyfill: BrowserSocket as unknown as typeof globalThis.WebSocket,
    })
    this.provider.on('connection-close', (event: { code: number } | null) => {
      if (event !== null) this.closeCodes.push(event.code)
    })
  }

  get text (): string {
    return this.doc.getText('text').toString()
  }

  write (text: string): void {
    this.doc.getText('text').insert(this.doc.getText('text').length, text)
  }

  /** Waits until the server's state has arrived. */
  async synced (): Promise<void> {
    if (this.provider.synced) return
    await new Promise<void>((resolve) => {
      this.provider.on('sync', function settle (this: void, isSynced: boolean) { if (isSynced) resolve() })
    })
  }

  /** Waits until the text satisfies a condition. */
  async until (holds: (text: string) => boolean): Promise<void> {
    if (holds(this.text)) return
    await new Promise<void>((resolve) => {
      this.doc.on('update', () => { if (holds(this.text)) resolve() })
    })
  }

  /** Waits for the end of a connection with this code, past ones included. */
  async closedWith (code: number): Promise<void> {
    if (this.closeCodes.includes(code)) return
    await new Promise<void>((resolve) => {
      this.provider.on('connection-close', () => { if (this.closeCodes.includes(code)) resolve() })
    })
  }

  /** Waits until the client gives up, as it does on 4400 to 4499, and returns the code. */
  async stopped (): Promise<number> {
    const last = this.closeCodes.at(-1)
    if (!this.provider.shouldConnect && last !== undefined) return last
    return await new Promise((resolve) => {
      this.provider.on('closed', (event: { code: number }) => resolve(event.code))
    })
  }

  /** Waits until a handshake was refused before the upgrade, and returns its status. */
  async handshakeRefused (): Promise<number> {
    const status = () => /^(\d{3}) /.exec(this.handshakes.at(-1) ?? '')?.[1]
    if (status() === undefined) await new Promise<void>((resolve) => { this.provider.on('connection-error', () => resolve()) })
    return Number(status())
  }

  destroy (): void {
    this.provider.destroy()
    this.doc.destroy()
  }
}
