import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { asDjango } from '../helper.ts'

/** The part of a tap test that is used here. */
interface Test { teardown (undo: () => unknown): unknown }

/** A browser would send a cookie or a ticket. */
class AsDjango extends WebSocket {
  constructor (url: string) {
    super(url, { headers: asDjango })
  }
}

/** As the providers know it: `ws` has the interface of the browser's. */
const polyfill = AsDjango as unknown as typeof globalThis.WebSocket

/** A stock y-websocket client that speaks to nobody but the service. `url` is that of the WebSockets. */
export function yWebsocket (t: Test, url: string, room: string): { doc: Y.Doc, provider: WebsocketProvider } {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: polyfill, disableBc: true })
  t.teardown(() => {
    provider.destroy()
    doc.destroy()
  })
  return { doc, provider }
}

/** A stock Hocuspocus client. */
export function hocuspocus (t: Test, url: string, room: string): { doc: Y.Doc, provider: HocuspocusProvider } {
  const doc = new Y.Doc()
  const websocketProvider = new HocuspocusProviderWebsocket({ url: `${url}/?room=${encodeURIComponent(room)}`, WebSocketPolyfill: polyfill })
  const provider = new HocuspocusProvider({ websocketProvider, name: room, document: doc })
  provider.attach()
  t.teardown(() => {
    provider.destroy()
    websocketProvider.destroy()
    doc.destroy()
  })
  return { doc, provider }
}
