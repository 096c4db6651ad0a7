import t from 'tap'
import * as Y from 'yjs'
import { asDjango, listen } from '../helper.ts'
import { closeCode, openSocket } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { areEqual, content } from '../clients/documents.ts'
import { connectYWebsocket, yWebsockets, type YWebsocketClient, type YWebsocket } from '../clients/y-websocket-client.ts'

const versions = Object.keys(yWebsockets) as YWebsocket[] // the keys of that very object

/** Both make every kind of change to a document, at the same places. */
function type (doc: Y.Doc, who: string): void {
  const text = doc.getText('text')
  const xml = doc.getXmlFragment('xml')
  for (let i = 0; i < 20; i++) {
    text.insert(Math.min(i, text.length), `${who}${i}`)
    doc.getMap('map').set(`${who}${i % 3}`, i)
    doc.getMap('map').set('both', `${who}${i}`)
    doc.getArray('array').insert(0, [`${who}${i}`])
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.insert(0, [new Y.XmlText(`${who}${i}`)])
    xml.insert(0, [paragraph])
  }
  text.delete(0, 3)
  doc.getArray('array').delete(1, 2)
  xml.delete(0, 1)
}

await t.test('Two people type at once, go offline, reconnect and have the same document', async (t) => {
  const { wsUrl } = await listen(t)
  for (const version of versions) {
    await t.test(version, async (t) => {
      const [a, b] = [connectYWebsocket(t, wsUrl, version, { version }), connectYWebsocket(t, wsUrl, version)]
      await synced(a, b)
      type(a.doc, 'a')
      type(b.doc, 'b')
      await when([a, b], () => areEqual(a.doc, b.doc) && a.doc.getArray('array').length > 30)
      a.provider.disconnect()
      b.provider.disconnect()
      type(a.doc, 'A')
      type(b.doc, 'B')
      t.notOk(areEqual(a.doc, b.doc))
      a.provider.connect()
      b.provider.connect()
      await when([a, b], () => areEqual(a.doc, b.doc) && a.doc.getArray('array').length > 70)
      const late = connectYWebsocket(t, wsUrl, version, { version })
      await synced(late)
      t.same(content(late.doc), content(a.doc), 'a late client has all of it once it is synced')
      t.same([a, b, late].flatMap(({ closes }) => closes), [], 'nobody was disconnected')
    })
  }
})

await t.test('Rooms do not receive each other\'s changes', async (t) => {
  const { wsUrl } = await listen(t)
  const clients = Array.from({ length: 6 }, (_, i) => connectYWebsocket(t, wsUrl, `room-${i % 3}`))
  await synced(...clients)
  for (const [i, { doc, provider }] of clients.entries()) {
    doc.getArray('array').push([`room-${i % 3}`])
    provider.awareness.setLocalStateField('room', `room-${i % 3}`)
  }
  await when(clients, () => clients.every(({ doc, provider }) => doc.getArray('array').length === 2 && provider.awareness.getStates().size === 2))
  for (const [i, { doc, provider }] of clients.entries()) {
    t.same(doc.getArray('array').toJSON(), [`room-${i % 3}`, `room-${i % 3}`])
    t.same([...provider.awareness.getStates().values()], [{ room: `room-${i % 3}` }, { room: `room-${i % 3}` }])
  }
})

await t.test('Presence appears, and disappears when a client leaves or loses its connection', async (t) => {
  const { wsUrl } = await listen(t)
  const [a, b, c] = [connectYWebsocket(t, wsUrl, 'room'), connectYWebsocket(t, wsUrl, 'room', { version: 'y-websocket 1' }), connectYWebsocket(t, wsUrl, 'room', { version: 'y-websocket 2' })]
  const all = [a, b, c]
  for (const [i, { provider }] of all.entries()) provider.awareness.setLocalStateField('name', `n${i}`)
  const seen = ({ provider }: YWebsocketClient): unknown[] => [...provider.awareness.getStates().values()].map((state) => state['name']).sort()
  await when(all, () => all.every((client) => seen(client).length === 3))
  t.same(seen(a), ['n0', 'n1', 'n2'])
  b.provider.destroy()
  await when([a, c], () => seen(a).length === 2 && seen(c).length === 2)
  // The provider's socket is one of `ws`, see clients.ts.
  ;(c.provider.ws as unknown as { terminate (): void }).terminate()
  c.provider.disconnect()
  await when([a], () => seen(a).length === 1)
  t.same(seen(a), ['n0'])
  c.provider.connect()
  c.provider.awareness.setLocalStateField('name', 'n2 again')
  await when([a, c], () => seen(a).length === 2)
  t.same(seen(a), ['n0', 'n2 again'])
})

await t.test('A read-only client sees everything and changes nothing', async (t) => {
  const { app, wsUrl } = await listen(t)
  const writer = connectYWebsocket(t, wsUrl, 'room')
  const reader = connectYWebsocket(t, wsUrl, 'room', { headers: { ...asDjango, 'x-can-edit': 'False' } })
  await synced(writer, reader)
  writer.doc.getText('text').insert(0, 'written')
  await when([reader], () => reader.doc.getText('text').toString() === 'written')
  reader.doc.getText('text').insert(0, 'not ')
  reader.doc.getText('text').delete(0, 6)
  reader.provider.awareness.setLocalStateField('reading', true)
  await when([writer], () => writer.provider.awareness.getStates().size === 2)
  reader.provider.disconnect()
  reader.provider.connect()
  await synced(reader)
  writer.doc.getText('text').insert(7, '!')
  const late = connectYWebsocket(t, wsUrl, 'room')
  await synced(late)
  await when([late], () => late.doc.getText('text').toString() === 'written!')
  t.same(reader.closes, [])
  t.ok(app.rooms.counters.refused >= 2)
})

await t.test('A 2 MB document syncs, in one update and in many, to connected and new clients', async (t) => {
  const { wsUrl } = await listen(t)
  const big = 'lorem ipsum '.repeat(90_000)
  const [a, b] = [connectYWebsocket(t, wsUrl, 'room'), connectYWebsocket(t, wsUrl, 'room', { version: 'y-websocket 1' })]
  await synced(a, b)
  a.doc.getText('text').insert(0, big)
  for (let i = 0; i < 100; i++) a.doc.getArray('array').push(['x'.repeat(10_000)])
  await when([b], () => b.doc.getArray('array').length === 100)
  t.ok(b.doc.getText('text').toString() === big)
  const late = connectYWebsocket(t, wsUrl, 'room')
  await synced(late)
  t.ok(late.doc.getText('text').toString() === big)
  t.equal(late.doc.getArray('array').length, 100)
  late.doc.getText('text').insert(0, 'still alive')
  await when([a, b], () => [a, b].every(({ doc }) => doc.getText('text').toString().startsWith('still alive')))
})

await t.test('A violation closes its sender with a code that gives the reason, and affects nobody else', async (t) => {
  const { app, wsUrl } = await listen(t, { MAX_FRAME_BYTES: '100000' })
  const [a, b] = [connectYWebsocket(t, wsUrl, 'room'), connectYWebsocket(t, wsUrl, 'room')]
  await synced(a, b)
  a.doc.getText('text').insert(0, 'before ')
  await when([b], () => b.doc.getText('text').toString() === 'before ')
  const update = Buffer.from(Y.encodeStateAsUpdate(a.doc))
  const frame = Buffer.concat([Buffer.from([0, 2, update.length]), update])
  const cases: Array<[string, number, Buffer | string]> = [
    ['garbage', 1007, Buffer.from('ffffffffffffffffffff', 'hex')],
    ['an empty frame', 1007, Buffer.alloc(0)],
    ['a truncated message', 1007, frame.subarray(0, frame.length - 3)],
    ['a message that goes on', 1007, Buffer.concat([frame, Buffer.from([1])])],
    ['an update that is none', 1007, Buffer.from([0, 2, 3, 1, 2, 3])],
    ['a state vector that is none', 1007, Buffer.from([0, 0, 1, 255])],
    ['awareness that is no JSON', 1007, Buffer.from([1, 6, 1, 1, 1, 2, 123, 123])],
    ['a text frame', 1003, 'hello'],
    ['a frame just above the limit', 1009, Buffer.alloc(100_001)],
    ['a frame far above the limit', 1009, Buffer.alloc(10_000_000)],
  ]
  for (const [what, code, bytes] of cases) {
    const socket = await openSocket(t, `${wsUrl}/collaboration/ws/room`)
    const closed = closeCode(socket)
    socket.send(bytes)
    t.equal(await closed, code, what)
  }
  a.doc.getText('text').insert(7, 'after')
  await when([b], () => b.doc.getText('text').toString() === 'before after')
  t.same([...a.closes, ...b.closes], [])
  t.equal(app.rooms.count('room', '')?.count, 2)
})

await t.test('A broken WebSocket frame closes only its sender', async (t) => {
  const { wsUrl } = await listen(t)
  const good = connectYWebsocket(t, wsUrl, 'room')
  await synced(good)
  const socket = await openSocket(t, `${wsUrl}/collaboration/ws/room`)
  const closed = closeCode(socket)
  // An unmasked frame of a client (RFC 6455, section 5.1), past `ws`, which masks. Its stream is private.
  ;(socket as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0x82, 1, 0]))
  t.equal(await closed, 1002)
  t.same(good.closes, [])
})

await t.test('A full room refuses another client, and a reset client reconnects to it', async (t) => {
  const { app, url, wsUrl } = await listen(t, { MAX_CONNECTIONS_PER_ROOM: '2' })
  const headers = (user: string): Record<string, string> => ({ ...asDjango, 'x-user-id': user })
  const [a, b] = [connectYWebsocket(t, wsUrl, 'room', { headers: headers('a') }), connectYWebsocket(t, wsUrl, 'room', { headers: headers('b') })]
  await synced(a, b)
  const third = await openSocket(t, `${wsUrl}/collaboration/ws/room`)
  t.equal(await closeCode(third), 4529)
  await fetch(`${url}/collaboration/api/reset-connections/?room=room`, { method: 'POST', headers: headers('a') })
  await when([a], () => a.closes.includes(4205))
  await synced(a)
  t.same(b.closes, [])
  t.equal(app.rooms.size('room'), 2)
})
