import { once } from 'node:events'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { WebSocket, type ClientOptions } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { WebsocketProvider as WebsocketProvider2 } from 'y-websocket2'
import * as Y from 'yjs'
import { asDjango } from './helper.ts'

/** The part of a tap test that is used here. */
interface Test { teardown (undo: () => unknown): unknown }

/** The three versions of y-websocket that browsers load today, as the same class as far as tests use it. */
export const yWebsockets = {
  'y-websocket 1': await yWebsocket1(),
  'y-websocket 2': WebsocketProvider2 as unknown as typeof WebsocketProvider, // its typings are of another copy of the same classes
  'y-websocket 3': WebsocketProvider,
} as const

/** Its package does not say that its `.js` files are modules, so tap's loader takes them for CommonJS. A copy ending in `.mjs` is what it is. */
async function yWebsocket1 (): Promise<typeof WebsocketProvider> {
  const folder = join(import.meta.dirname, '..', '.tap')
  const copy = join(folder, `y-websocket-1-${process.pid}.mjs`)
  await mkdir(folder, { recursive: true })
  await copyFile(fileURLToPath(import.meta.resolve('y-websocket1')), copy)
  try {
    // The same class as far as tests use it.
    const { WebsocketProvider: provider } = await import(pathToFileURL(copy).href) as { WebsocketProvider: typeof WebsocketProvider }
    return provider
  } finally {
    await rm(copy)
  }
}

export type YWebsocket = keyof typeof yWebsockets

export interface ConnectOptions {
  /** 3 where it is left out */
  readonly version?: YWebsocket
  readonly doc?: Y.Doc
  /** Headers that a reverse proxy adds; those of Django where they are left out */
  readonly headers?: Record<string, string>
  readonly params?: Record<string, string>
}

/** A person in a browser: a document and its provider. */
export interface Client {
  readonly doc: Y.Doc
  readonly provider: WebsocketProvider
  /** Codes with which the server closed, in order (1005 is how a provider closes) */
  readonly closes: number[]
}

/** A y-websocket provider on the room, ended with the test. `url` is the service's, `ws://host:port`. */
export function connect (t: Test, url: string, room: string, { version = 'y-websocket 3', doc = new Y.Doc(), headers = asDjango, params = {} }: ConnectOptions = {}): Client {
  const Provider = yWebsockets[version]
  const provider = new Provider(`${url}/collaboration/ws`, room, doc, {
    // The DOM's class, which `ws` is like in all that the provider uses.
    WebSocketPolyfill: withHeaders(headers) as unknown as typeof globalThis.WebSocket,
    // Several clients live in this process and must not talk past the server.
    disableBc: true,
    maxBackoffTime: 100,
    params,
  })
  const closes: number[] = []
  provider.on('connection-close', (event) => { if (event !== null && event.code !== 1005) closes.push(event.code) })
  t.teardown(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, provider, closes }
}

const withHeaders = (headers: Record<string, string>) => class extends WebSocket {
  constructor (url: string, protocols?: string[], options?: ClientOptions) {
    super(url, protocols, { ...options, headers })
  }
}

/**
 * Waits until it holds, looking whenever something happens to one of the clients.
 * @throws after `timeoutMs`
 */
export function when (clients: readonly Client[], holds: () => boolean, timeoutMs = 30_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { finish(new Error(`Waited in vain for ${holds}`)) }, timeoutMs)
    const look = (): void => { if (holds()) finish() }
    function finish (error?: Error): void {
      clearTimeout(timer)
      for (const { doc, provider } of clients) {
        doc.off('update', look)
        provider.awareness.off('change', look)
        for (const event of ['status', 'sync', 'connection-close'] as const) provider.off(event, look)
      }
      if (error === undefined) resolve()
      else reject(error)
    }
    for (const { doc, provider } of clients) {
      doc.on('update', look)
      provider.awareness.on('change', look)
      for (const event of ['status', 'sync', 'connection-close'] as const) provider.on(event, look)
    }
    look()
  })
}

export const synced = (...clients: Client[]): Promise<void> => when(clients, () => clients.every(({ provider }) => provider.synced))

/** Both documents have the same in all their types. */
export function areEqual (a: Y.Doc, b: Y.Doc): boolean {
  return JSON.stringify(content(a)) === JSON.stringify(content(b))
}

export function content (doc: Y.Doc): unknown {
  const map = Object.entries(doc.getMap('map').toJSON()).sort(([a], [b]) => a < b ? -1 : 1)
  return [doc.getText('text').toString(), map, doc.getArray('array').toJSON(), doc.getXmlFragment('xml').toString()]
}

/** A bare WebSocket with the headers of Django, open when it is handed out, ended with the test. */
export async function openSocket (t: Test, url: string, headers: Record<string, string> = asDjango): Promise<WebSocket> {
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

/** How the service answers a handshake for exactly this path, which a URL class would tidy up. @returns the HTTP status; 101 = let in */
export function handshake (port: number, path: string, headers: Record<string, string> = asDjango): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path,
      headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==', ...headers },
    })
    asked.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve(101)
    })
    asked.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end()
  })
}
