import { HocuspocusProvider as Provider4, HocuspocusProviderWebsocket as Socket4 } from '@hocuspocus/provider'
import { HocuspocusProvider as Provider2, HocuspocusProviderWebsocket as Socket2 } from 'hocuspocus-provider2'
import { HocuspocusProvider as Provider3, HocuspocusProviderWebsocket as Socket3 } from 'hocuspocus-provider3'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { yWebsockets, type YWebsocket } from '../clients.ts'
import { about, bytes } from './wire.ts'

/** The part of a tap test that is used here. */
export interface Test { teardown (undo: () => unknown): unknown }

/** What the clients of the matrix speak. */
export const kinds = ['y-websocket 3', 'Hocuspocus 2', 'Hocuspocus 3', 'Hocuspocus 4'] as const
export type Kind = typeof kinds[number]
export const hocuspocusKinds = ['Hocuspocus 2', 'Hocuspocus 3', 'Hocuspocus 4'] as const
export type HocuspocusKind = typeof hocuspocusKinds[number]
/** With the older versions of y-websocket too */
export const allKinds = [...Object.keys(yWebsockets) as YWebsocket[], ...hocuspocusKinds]

export interface ClientOptions {
  readonly kind: Kind | YWebsocket
  /** `ws://host:port` */
  readonly wsUrl: string
  readonly room: string
  readonly headers?: Record<string, string>
  /** y-websocket: `?token=`; Hocuspocus: the Auth message. */
  readonly token?: string | undefined
  /** Its content is what the client brings along; default: an empty document. */
  readonly doc?: Y.Doc
  /** Hocuspocus: over this socket instead of one of its own. */
  readonly socket?: HocuspocusSocket
  /** Hocuspocus 4: several providers of one document on one socket. */
  readonly sessionAwareness?: boolean
}

/** A real client and all that has happened to it so far. */
export interface Client {
  readonly doc: Y.Doc
  readonly awareness: Awareness
  readonly record: Experience
  readonly text: Y.Text
  isSynced (): boolean
  /** Hocuspocus: updates that the server has not acknowledged; y-websocket knows no such thing: 0. */
  unsyncedChanges (): number
  /** Whether the client would connect again by itself. */
  wantsToConnect (): boolean
  /** Sends another ticket on the open connection, as a page does. Resolves when it is sent. */
  renew (ticket: string): Promise<void>
  /** Resolves when `check` holds, looked at after each event of this client. */
  until (check: () => boolean): Promise<void>
  /** Resolves when the client has what the server has. */
  synced (): Promise<void>
  destroy (): void
}

/** A socket for several Hocuspocus providers. */
export interface HocuspocusSocket {
  readonly kind: HocuspocusKind
  readonly record: Experience
  readonly socket: Socket2 | Socket3 | Socket4
  destroy (): void
}

/** Wakes whoever waits for something to become true. */
class Bell {
  readonly #waiting = new Set<() => void>()

  /** After the libraries' own handlers of the same event. */
  readonly ring = (): void => { setImmediate(() => { for (const look of [...this.#waiting]) look() }) }

  async until (check: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!check()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}

/** What a client's WebSockets and provider went through. */
export class Experience {
  readonly bell = new Bell()
  /** Of WebSockets that were open, in order */
  readonly closes: Array<{ code: number, reason: string }> = []
  /** HTTP statuses of handshakes that were refused */
  readonly statuses: number[] = []
  /** Permission-denied messages, by their reasons */
  readonly denied: string[] = []
  /** What the server said the client may do, each time it let it in (Hocuspocus) or accepted a ticket */
  readonly scopes: string[] = []
  /** Hocuspocus: in-band Close messages, by their reasons */
  readonly inBandCloses: string[] = []
  /** What happened, in order: `message 2`, `in-band close`, `close 4205`, ... */
  readonly events: string[] = []
  sockets: WebSocket[] = []

  get attempts (): number { return this.sockets.length }
  get open (): WebSocket | undefined { return this.sockets.find((socket) => socket.readyState === WebSocket.OPEN) }

  note (event: string): void {
    this.events.push(event)
    this.bell.ring()
  }
}

/** The WebSocket of `ws` with headers that a browser or a proxy would send, which writes down what happens to it. */
function recording (record: Experience, headers: { readonly [name: string]: string }) {
  return class RecordingWebSocket extends WebSocket {
    constructor (url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { headers })
      record.sockets.push(this)
      this.on('open', () => { record.note('open') })
      this.on('message', () => { record.bell.ring() })
      this.on('error', (error) => {
        const status = /^Unexpected server response: (\d+)$/.exec(error.message)?.[1]
        if (status !== undefined) record.statuses.push(Number(status))
        record.note(`error ${status ?? ''}`)
      })
      this.on('close', (code, reason) => {
        // 1006 where the handshake was refused: that is in `statuses`.
        if (code !== 1006) record.closes.push({ code, reason: reason.toString() })
        record.note(`close ${code}`)
      })
    }
  }
}

/** Retries at once, as far as the libraries can be told so. */
const hasty = { delay: 10, minDelay: 10, maxDelay: 20, factor: 1 }

/** For providers that go on trying after they were destroyed (2 and 3 do, where they were waiting for their next try). */
class SilentWebSocket {
  addEventListener (): void {}
  removeEventListener (): void {}
  close (): void {}
}

/** Opens a socket for several Hocuspocus providers; it ends with the test. `room`: as `?room=`; `silenceMs`: instead of the 30 s without a message after which it reconnects. */
export function openSocket (t: Test, kind: HocuspocusKind, wsUrl: string, { room, headers = {}, query = '', silenceMs = 30_000 }: { room?: string, headers?: { readonly [name: string]: string }, query?: string, silenceMs?: number } = {}): HocuspocusSocket {
  const record = new Experience()
  const search = room === undefined ? query : `?room=${encodeURIComponent(room)}${query}`
  const options = { url: `${wsUrl}/collaboration/ws/${search}`, WebSocketPolyfill: recording(record, headers), messageReconnectTimeout: silenceMs, ...hasty }
  const socket = kind === 'Hocuspocus 2' ? new Socket2(options) : kind === 'Hocuspocus 3' ? new Socket3(options) : new Socket4(options)
  let isDestroyed = false
  const destroy = (): void => {
    if (isDestroyed) return
    isDestroyed = true
    socket.destroy()
    socket.configuration.WebSocketPolyfill = SilentWebSocket
    for (const each of record.sockets) each.on('error', () => {}).terminate()
  }
  t.teardown(destroy)
  return { kind, record, socket, destroy }
}

/** Connects a real client; it ends with the test. */
export function connect (t: Test, options: ClientOptions): Client {
  const { kind } = options
  return isYWebsocket(kind) ? connectYWebsocket(t, kind, options) : connectHocuspocus(t, { ...options, kind })
}

const isYWebsocket = (kind: string): kind is YWebsocket => Object.hasOwn(yWebsockets, kind)

function connectYWebsocket (t: Test, kind: YWebsocket, { wsUrl, room, headers = {}, token, doc = new Y.Doc() }: ClientOptions): Client {
  const record = new Experience()
  const provider = new yWebsockets[kind](`${wsUrl}/collaboration/ws`, encodeURIComponent(room), doc, {
    // The constructor takes what looks like the browser's WebSocket; that of `ws` does, its types say more.
    WebSocketPolyfill: recording(record, headers) as unknown as typeof globalThis.WebSocket,
    params: token === undefined ? {} : { token },
    disableBc: true,
    maxBackoffTime: 20,
  })
  // The refusal is only printed: what would print it is where it can be heard.
  const printPermissionDenied = provider.messageHandlers[2]
  provider.messageHandlers[2] = (encoder, decoder, ...rest) => {
    record.denied.push(new TextDecoder().decode(decoder.arr.subarray(3)))
    if (printPermissionDenied === undefined) throw new Error('y-websocket has no handler of auth messages')
    quietly(() => { printPermissionDenied(encoder, decoder, ...rest) })
    record.note('denied')
  }
  provider.messageHandlers[101] = (_encoder, decoder) => {
    record.scopes.push(decoding.readVarUint(decoder) === 1 ? 'read-write' : 'readonly')
    record.note('renewed')
  }
  provider.on('sync', record.bell.ring)
  return finish(t, record, doc, provider.awareness, {
    isSynced: () => provider.synced,
    unsyncedChanges: () => 0,
    wantsToConnect: () => provider.shouldConnect,
    renew: async (ticket) => { provider.ws?.send(encoding.encode(bytes(101, ticket))) },
    destroy: () => {
      provider.destroy()
      for (const socket of record.sockets) socket.on('error', () => {}).terminate()
    },
  })
}

function connectHocuspocus (t: Test, options: ClientOptions & { readonly kind: HocuspocusKind }): Client {
  const { kind, wsUrl, room, headers = {}, token, doc = new Y.Doc(), sessionAwareness = false } = options
  const ownSocket = options.socket === undefined ? openSocket(t, kind, wsUrl, { room, headers }) : undefined
  const { record, socket } = options.socket ?? ownSocket ?? never()
  const common = {
    name: room,
    document: doc,
    token: token ?? null,
    onAuthenticationFailed: ({ reason }: { reason: string }) => {
      record.denied.push(reason)
      record.note('denied')
    },
    onClose: ({ event }: { event: { code: number, reason: string } }) => {
      if (event.code !== 1000) return
      record.inBandCloses.push(event.reason)
      record.note('in-band close')
    },
  }
  let provider: Provider2 | Provider3 | Provider4
  const onAuthenticated = (): void => {
    record.scopes.push(provider.authorizedScope ?? '')
    record.note('authenticated')
  }
  if (socket instanceof Socket2) provider = new Provider2({ ...common, websocketProvider: socket, broadcast: false, quiet: false, onAuthenticated })
  else if (socket instanceof Socket3) provider = new Provider3({ ...common, websocketProvider: socket, onAuthenticated })
  else provider = new Provider4({ ...common, websocketProvider: socket, sessionAwareness, onAuthenticated })
  if (!(provider instanceof Provider2)) provider.attach()
  provider.on('synced', record.bell.ring)
  provider.on('unsyncedChanges', record.bell.ring)
  const { awareness } = provider
  if (awareness === null) throw new Error('The provider has no awareness')
  return finish(t, record, doc, awareness, {
    isSynced: () => provider.synced,
    // Provider 2 counts below zero what it had queued while it was away.
    unsyncedChanges: () => Math.max(0, provider.unsyncedChanges),
    wantsToConnect: () => socket.shouldConnect,
    renew: async (ticket) => {
      provider.configuration.token = ticket
      // Provider 2 sends its token only when a socket has opened.
      if (provider instanceof Provider2) record.open?.send(about(room, bytes(2, 0, ticket)))
      else await provider.sendToken()
    },
    destroy: () => {
      provider.destroy()
      ownSocket?.destroy()
    },
  })
}

function finish (t: Test, record: Experience, doc: Y.Doc, awareness: Awareness, rest: Pick<Client, 'isSynced' | 'unsyncedChanges' | 'wantsToConnect' | 'renew' | 'destroy'>): Client {
  doc.on('update', record.bell.ring)
  awareness.on('change', record.bell.ring)
  let isDestroyed = false
  const destroy = (): void => {
    if (isDestroyed) return
    isDestroyed = true
    rest.destroy()
    awareness.destroy()
  }
  t.teardown(destroy)
  const until = (check: () => boolean): Promise<void> => record.bell.until(check)
  return { ...rest, doc, awareness, record, text: doc.getText('t'), until, synced: () => until(rest.isSynced), destroy }
}

/** Without what the library prints for people. */
function quietly (run: () => void): void {
  const { warn } = console
  console.warn = () => {}
  try {
    run()
  } finally {
    console.warn = warn
  }
}

function never (): never { throw new Error('A socket is either given or made') }
