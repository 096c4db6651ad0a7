import { HocuspocusProvider as Provider4, HocuspocusProviderWebsocket as Socket4 } from '@hocuspocus/provider'
import { HocuspocusProvider as Provider2, HocuspocusProviderWebsocket as Socket2 } from 'hocuspocus-provider2'
import { HocuspocusProvider as Provider3, HocuspocusProviderWebsocket as Socket3 } from 'hocuspocus-provider3'
import * as Y from 'yjs'
import { asDjango } from '../helper.ts'
import { completeClient, type Client } from './client.ts'
import { about, bytes } from './messages.ts'
import { ClientRecord, recording } from './record.ts'
import type { Owner } from './owner.ts'

/** The versions of the Hocuspocus provider that browsers load today. */
export const hocuspocusKinds = ['Hocuspocus 2', 'Hocuspocus 3', 'Hocuspocus 4'] as const
/** A version of the Hocuspocus provider. */
export type HocuspocusKind = typeof hocuspocusKinds[number]

/** A socket for several Hocuspocus providers. */
export interface HocuspocusSocket {
  readonly kind: HocuspocusKind
  readonly record: ClientRecord
  readonly socket: Socket2 | Socket3 | Socket4
  destroy (): void
}

/** How a socket for Hocuspocus providers connects. */
export interface SocketOptions {
  /** Sent as `?room=`; absent: no room */
  readonly room?: string
  readonly headers?: { readonly [name: string]: string }
  /** Appended to the address */
  readonly query?: string
  /** Time without a message after which it reconnects, instead of 30 s */
  readonly silenceMs?: number
  /** Whether it retries with the library's own delays, instead of at once */
  readonly isPatient?: boolean
}

/** Retries at once, as far as the libraries can be configured so. */
const hasty = { delay: 10, minDelay: 10, maxDelay: 20, factor: 1 }

/** For providers that retry after they were destroyed (2 and 3 do, if they were waiting for their next attempt). */
class SilentWebSocket {
  addEventListener (): void {}
  removeEventListener (): void {}
  close (): void {}
}

/** Opens a socket for several Hocuspocus providers; it ends with the test. `wsUrl` is `ws://host:port`. */
export function openHocuspocusSocket (
  t: Owner,
  kind: HocuspocusKind,
  wsUrl: string,
  options: SocketOptions = {}
): HocuspocusSocket {
  const { room, headers = {}, query = '', silenceMs = 30_000, isPatient = false } = options
  const record = new ClientRecord()
  const search = room === undefined ? query : `?room=${encodeURIComponent(room)}${query}`
  const settings = {
    url: `${wsUrl}/collaboration/ws/${search}`,
    WebSocketPolyfill: recording(record, headers),
    messageReconnectTimeout: silenceMs,
    ...!isPatient && hasty,
  }
  const socket = kind === 'Hocuspocus 2' ? new Socket2(settings) : kind === 'Hocuspocus 3' ? new Socket3(settings) : new Socket4(settings)
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

/** How a Hocuspocus client connects. */
export interface HocuspocusOptions {
  /** Default: 4 */
  readonly kind?: HocuspocusKind
  /** Default: those of Django */
  readonly headers?: { readonly [name: string]: string }
  /** Sent in the Auth message */
  readonly token?: string | undefined
  /** Its content is sent on connecting; default: an empty document. */
  readonly doc?: Y.Doc
  /** A socket to share; the version is then that of the socket. */
  readonly socket?: HocuspocusSocket
  /** Hocuspocus 4: several providers of one document on one socket */
  readonly sessionAwareness?: boolean
  /** Whether it retries with the library's own delays, instead of at once */
  readonly isPatient?: boolean
}

/** A client with its Hocuspocus provider. */
export interface HocuspocusClient extends Client {
  readonly provider: Provider2 | Provider3 | Provider4
}

/** Connects a Hocuspocus client; it ends with the test. `wsUrl` is `ws://host:port`. */
export function connectHocuspocus (
  t: Owner,
  wsUrl: string,
  room: string,
  options: HocuspocusOptions = {}
): HocuspocusClient {
  const { kind = 'Hocuspocus 4', headers = asDjango, token, doc = new Y.Doc(), sessionAwareness = false, isPatient = false } = options
  const shared = options.socket ?? openHocuspocusSocket(t, kind, wsUrl, { room, headers, isPatient })
  const { record, socket } = shared
  const provider = openProvider(socket, record, { name: room, document: doc, token: token ?? null }, sessionAwareness)
  for (const event of ['synced', 'unsyncedChanges']) provider.on(event, record.look)
  const { awareness } = provider
  if (awareness === null) throw new Error('The provider has no awareness')
  const client = completeClient(t, record, doc, awareness, {
    isSynced: () => provider.synced,
    // Provider 2 subtracts what it had queued while disconnected, and ends below zero.
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
      if (options.socket === undefined) shared.destroy()
    },
  })
  return { ...client, provider }
}

function openProvider (
  socket: HocuspocusSocket['socket'],
  record: ClientRecord,
  settings: { name: string, document: Y.Doc, token: string | null },
  sessionAwareness: boolean
): HocuspocusClient['provider'] {
  let provider: HocuspocusClient['provider']
  const common = {
    ...settings,
    onAuthenticated: (): void => {
      record.scopes.push(provider.authorizedScope ?? '')
      record.note('authenticated')
    },
    onAuthenticationFailed: ({ reason }: { reason: string }): void => {
      record.denied.push(reason)
      record.note('denied')
    },
    onClose: ({ event }: { event: { code: number, reason: string } }): void => {
      if (event.code !== 1000) return
      record.inBandCloses.push(event.reason)
      record.note('in-band close')
    },
  }
  if (socket instanceof Socket2) {
    provider = new Provider2({ ...common, websocketProvider: socket, broadcast: false, quiet: false })
  } else if (socket instanceof Socket3) provider = new Provider3({ ...common, websocketProvider: socket })
  else provider = new Provider4({ ...common, websocketProvider: socket, sessionAwareness })
  if (!(provider instanceof Provider2)) provider.attach()
  return provider
}
