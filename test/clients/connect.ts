import type { Client } from './client.ts'
import { connectHocuspocus, hocuspocusKinds, type HocuspocusKind, type HocuspocusOptions } from './hocuspocus-client.ts'
import { connectYWebsocket, isYWebsocket, yWebsockets, type YWebsocket } from './y-websocket-client.ts'
import type { Owner } from './owner.ts'

/** The newest y-websocket, and every Hocuspocus provider: most tests use these. */
export const kinds = ['y-websocket 3', ...hocuspocusKinds] as const
/** One of `kinds`. */
export type Kind = typeof kinds[number]
/** Includes the older versions of y-websocket */
export const allKinds = [...Object.keys(yWebsockets) as YWebsocket[], ...hocuspocusKinds]

/** How a client of any kind connects. */
export interface ClientOptions extends Omit<HocuspocusOptions, 'kind' | 'headers'> {
  readonly kind: HocuspocusKind | YWebsocket
  /** `ws://host:port` */
  readonly wsUrl: string
  readonly room: string
  /** Default: none */
  readonly headers?: Record<string, string>
  /** y-websocket: `?token=`; Hocuspocus: the Auth message. */
  readonly token?: string | undefined
}

/** Connects a client of any kind; it ends with the test. */
export function connect (t: Owner, { kind, wsUrl, room, headers = {}, token, ...more }: ClientOptions): Client {
  if (!isYWebsocket(kind)) return connectHocuspocus(t, wsUrl, room, { kind, headers, token, ...more })
  const params: Record<string, string> = token === undefined ? {} : { token }
  const { doc } = more
  return connectYWebsocket(t, wsUrl, encodeURIComponent(room), { version: kind, headers, params, ...doc && { doc } })
}
