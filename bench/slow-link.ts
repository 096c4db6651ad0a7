/**
 * A stock y-websocket client opens a large document over a slow link:
 * `npx tsx bench/slow-link.ts [--mb 50] [--mbit 5] [--servers ours,y-websocket] [--seconds 200]`.
 * The client's watchdog closes the connection if no whole message has arrived for 30 s; an incomplete one is then sent
 * again from the start.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { within } from './load/client.ts'
import { DecodeCache } from './load/decode-cache.ts'
import { openSlowLink } from './load/slow-link.ts'
import { upload } from './load/upload.ts'
import { describeServer, serverNames, startServer, withFolder, type ServerKind } from './servers.ts'

const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '50' },
    mbit: { type: 'string', default: '5' },
    servers: { type: 'string', default: 'ours,y-websocket' },
    seconds: { type: 'string', default: '200' },
  },
})
const room = 'large'
/** Bytes that a writer sends at a time. */
const updateBytes = 200_000

const document = makeDocument(Number(values.mb) * 1e6)
console.log(`${values.mb} MB over ${values.mbit} Mbit/s: ${(Number(values.mb) * 8 / Number(values.mbit)).toFixed(0)} s at best`)
for (const wanted of values.servers.split(',')) {
  const name = serverNames.find((each) => each === wanted)
  const kind = name === undefined ? `there is no server named ${wanted}` : describeServer(name, resolve(import.meta.dirname, '..'))
  console.log(typeof kind === 'string' ? kind : `${kind.title}: ${await measure(kind)}`)
}
process.exit(0)

async function measure (kind: ServerKind): Promise<string> {
  return await withFolder(async (folder) => {
    const server = await startServer(kind, folder)
    const link = await openSlowLink(server.port, Number(values.mbit) * 1e6)
    const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
    const writer = await upload(target, room, document)
    await server.rest()
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    const { headers } = kind.wire
    const doc = new Y.Doc()
    const provider = new WebsocketProvider(`ws://127.0.0.1:${link.port}${kind.wire.path('').replace(/\/$/, '')}`, room, doc, {
      disableBc: true,
      // `ws` is like the DOM's class in all that the provider uses. The secret replaces the ticket of a browser.
      WebSocketPolyfill: class extends WebSocket {
        constructor (url: string) { super(url, { headers }) }
      } as unknown as typeof globalThis.WebSocket,
    })
    let closed = 0
    let messages = 0
    let lastAt = 0
    let longest = 0
    provider.on('connection-close', () => { closed++ })
    doc.on('update', () => {
      messages++
      longest = Math.max(longest, seconds() - lastAt)
      lastAt = seconds()
    })
    const whole = new Promise<void>((resolve) => { doc.on('update', () => { if (doc.getText('text').length >= document.length) resolve() }) })
    try {
      await within(Number(values.seconds) * 1000, whole, 'it was not complete')
      return `complete after ${seconds().toFixed(1)} s in ${messages} messages, the longest wait between two ${longest.toFixed(1)} s, ${closed} reconnects`
    } catch (error) {
      return `${error instanceof Error ? error.message : String(error)} ${messages} messages, ${closed} reconnects`
    } finally {
      provider.destroy()
      writer.leave()
      await link.close()
      await server.stop()
    }
  })
}

/** A long text, built of updates that each fit into a frame. */
function makeDocument (
  bytes: number
): { updates: Uint8Array[], clocks: Map<number, number>, bytes: number, length: number } {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => { updates.push(update) })
  const text = doc.getText('text')
  for (let at = 0; at < bytes; at += updateBytes) text.insert(text.length, 'A line of text, as long as lines are.\n'.repeat(updateBytes / 38))
  return { updates, clocks: new Map([[doc.clientID, text.length]]), bytes, length: text.length }
}
