import { once } from 'node:events'
import { request } from 'node:http'
import { WebSocket } from 'ws'
import { asDjango } from '../helper.ts'
import { Changes } from './changes.ts'
import type { Owner } from './owner.ts'

/** A WebSocket without a provider, for bytes that no library would send. */
export class BareClient {
  readonly ws: WebSocket
  readonly changes = new Changes()
  /** Binary messages so far */
  readonly heard: Uint8Array[] = []
  closed: { code: number, reason: string } | undefined
  /** HTTP status and body, if the handshake was refused */
  refused: { status: number, body: string } | undefined
  /** Whether the handshake was refused: then there is nothing left to close. */
  isRefused = false

  constructor (url: string, headers: { readonly [name: string]: string } = {}) {
    this.ws = new WebSocket(url, { headers })
    // Without fragments a message is one Buffer.
    this.ws.on('message', (data) => { this.heard.push(new Uint8Array(data as Buffer)) })
    this.ws.on('unexpected-response', (sent, response) => {
      this.isRefused = true
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text }).on('error', () => {}).once('close', () => {
        this.refused = { status: response.statusCode ?? 0, body }
        sent.destroy()
        this.changes.note()
      })
    })
    this.ws.on('error', () => {})
    this.ws.on('close', (code, reason) => { this.closed ??= { code, reason: reason.toString() } })
    for (const event of ['message', 'close', 'open']) this.ws.on(event, this.changes.note)
  }

  get isOpen (): boolean { return this.ws.readyState === WebSocket.OPEN }

  /** Resolves when `check` holds, tested after each event. */
  async until (check: (client: this) => boolean): Promise<void> {
    await this.changes.until(() => check(this))
  }
}

/** Connects a bare client; it ends with the test. */
export function connectBare (t: Owner, url: string, headers?: { readonly [name: string]: string }): BareClient {
  const client = new BareClient(url, headers)
  t.teardown(() => { if (!client.isRefused) client.ws.terminate() })
  return client
}

/** The same; resolves once it is open. */
export async function openBare (
  t: Owner,
  url: string,
  headers?: { readonly [name: string]: string }
): Promise<BareClient> {
  const client = connectBare(t, url, headers)
  await once(client.ws, 'open')
  return client
}

/** Opens a WebSocket with the headers of Django; it ends with the test. */
export async function openSocket (
  t: Owner,
  url: string,
  headers: Record<string, string> = asDjango
): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  t.teardown(() => { socket.terminate() })
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

/** The code with which a socket is closed. */
export async function closeCode (socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close') as [number]
  return code
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
}

/**
 * Sends a handshake for exactly this path, which a URL class would normalise.
 * @returns the HTTP status; 101 means accepted
 */
export function handshake (port: number, path: string, headers: Record<string, string> = asDjango): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { ...upgrade, ...headers } })
    sent.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve(101)
    })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}
