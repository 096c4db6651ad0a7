import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebsocketProvider } from 'y-websocket'
import { WebsocketProvider as WebsocketProvider2 } from 'y-websocket2'
import * as Y from 'yjs'
import { asDjango } from '../helper.ts'
import { completeClient, type Client } from './client.ts'
import { bytes } from './messages.ts'
import { ClientRecord, recording } from './record.ts'
import type { Owner } from './owner.ts'
import { root } from '../root.ts'

/** The three versions of y-websocket that browsers load today, typed as one class as far as tests use it. */
export const yWebsockets = {
  'y-websocket 1': await yWebsocket1(),
  // Its typings are of another copy of the same classes.
  'y-websocket 2': WebsocketProvider2 as unknown as typeof WebsocketProvider,
  'y-websocket 3': WebsocketProvider,
} as const

/**
 * Its package does not declare that its `.js` files are modules: loaders can take them for CommonJS, but not a copy
 * that ends in `.mjs`.
 */
async function yWebsocket1 (): Promise<typeof WebsocketProvider> {
  const folder = join(root, '.tap')
  const copy = join(folder, `y-websocket-1-${process.pid}.mjs`)
  await mkdir(folder, { recursive: true })
  await copyFile(fileURLToPath(import.meta.resolve('y-websocket1')), copy)
  try {
    // The same class as far as tests use it.
    const module = await import(pathToFileURL(copy).href) as { WebsocketProvider: typeof WebsocketProvider }
    return module.WebsocketProvider
  } finally {
    await rm(copy)
  }
}

/** A version of y-websocket. */
export type YWebsocket = keyof typeof yWebsockets

/** Distinguishes the versions of y-websocket from those of Hocuspocus. */
export const isYWebsocket = (kind: string): kind is YWebsocket => Object.hasOwn(yWebsockets, kind)

/** How a y-websocket client connects. */
export interface ConnectOptions {
  /** Default: 3 */
  readonly version?: YWebsocket
  /** Its content is sent on connecting; default: an empty document. */
  readonly doc?: Y.Doc
  /** Headers that a reverse proxy adds; default: those of Django */
  readonly headers?: Record<string, string>
  readonly params?: Record<string, string>
  /** Whether it retries with the library's own delays, instead of at once */
  readonly isPatient?: boolean
}

/** A client with its y-websocket provider. */
export interface YWebsocketClient extends Client {
  readonly provider: WebsocketProvider
  /** Codes with which the server closed, in order (a provider closes with 1005) */
  readonly closes: number[]
}

const messageType = { auth: 2, ticket: 101 } as const

/**
 * Connects a y-websocket client; it ends with the test. `url` is `ws://host:port`, `room` is inserted into the path
 * unchanged.
 */
export function connectYWebsocket (
  t: Owner,
  url: string,
  room: string,
  options: ConnectOptions = {}
): YWebsocketClient {
  const { version = 'y-websocket 3', doc = new Y.Doc(), headers = asDjango, params = {}, isPatient = false } = options
  const record = new ClientRecord()
  const provider = new yWebsockets[version](`${url}/collaboration/ws`, room, doc, {
    WebSocketPolyfill: recording(record, headers),
    params,
    // Several clients share this process and must not communicate past the server.
    disableBc: true,
    ...!isPatient && { maxBackoffTime: 20 },
  })
  recordMessages(provider, record)
  const closes: number[] = []
  provider.on('connection-close', (event) => { if (event !== null && event.code !== 1005) closes.push(event.code) })
  for (const event of ['sync', 'status', 'connection-close'] as const) provider.on(event, record.look)
  const client = completeClient(t, record, doc, provider.awareness, {
    isSynced: () => provider.synced,
    unsyncedChanges: () => 0,
    wantsToConnect: () => provider.shouldConnect,
    renew: async (ticket) => { provider.ws?.send(encoding.encode(bytes(messageType.ticket, ticket))) },
    destroy: () => {
      provider.destroy()
      for (const socket of record.sockets) socket.on('error', () => {}).terminate()
    },
  })
  return { ...client, provider, closes }
}

/** Records denials, which y-websocket only prints, and access messages, which it does not know. */
function recordMessages (provider: WebsocketProvider, record: ClientRecord): void {
  const printPermissionDenied = provider.messageHandlers[messageType.auth]
  provider.messageHandlers[messageType.auth] = (encoder, decoder, ...rest) => {
    record.denied.push(new TextDecoder().decode(decoder.arr.subarray(3)))
    if (printPermissionDenied === undefined) throw new Error('y-websocket has no handler of auth messages')
    quietly(() => { printPermissionDenied(encoder, decoder, ...rest) })
    record.note('denied')
  }
  provider.messageHandlers[messageType.ticket] = (_encoder, decoder) => {
    record.scopes.push(decoding.readVarUint(decoder) === 1 ? 'read-write' : 'readonly')
    record.note('renewed')
  }
}

/** Runs without the console output of the library. */
function quietly (run: () => void): void {
  const { warn } = console
  console.warn = () => {}
  try {
    run()
  } finally {
    console.warn = warn
  }
}
