import t from 'tap'
import { asDjango, build, listen } from '../helper.ts'
import { openSocket } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

const url = '/collaboration/api/reset-connections/'
const user = (id: string): Record<string, string> => ({ ...asDjango, 'x-user-id': id })

await t.test('The answers match the contract, byte for byte', async (t) => {
  const app = await build(t)
  const ask = async (query: string, headers: Record<string, string> = asDjango): Promise<[number, string]> => {
    const response = await app.inject({ method: 'POST', url: url + query, headers })
    return [response.statusCode, response.body]
  }
  t.same(await ask('?room=r'), [200, '{"message":"Connections reset"}'])
  t.same(await ask('?room=r&room=s', user('u')), [200, '{"message":"Connections reset"}'])
  t.same(await ask(''), [400, '{"error":"Room name not provided"}'])
  t.same(await ask('?room='), [400, '{"error":"Room name not provided"}'])
  t.same(await ask('?room=r', {}), [403, '{"error":"Forbidden: Invalid API Key"}'])
  t.equal((await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections?room=r', headers: asDjango })).statusCode, 200, 'without a trailing slash')
  t.equal((await app.inject({ method: 'POST', url: `${url}?room=r`, headers: { ...asDjango, 'content-type': 'application/json' }, payload: '{}' })).statusCode, 200, 'Django\'s requests.post may send a body')
  t.equal((await app.inject({ url: `${url}?room=r`, headers: asDjango })).statusCode, 404, 'not with GET')
})

await t.test('All connections of the room are closed with 4205 and reconnect', async (t) => {
  const { app, wsUrl } = await listen(t)
  const [a, b, other] = [connectYWebsocket(t, wsUrl, 'room', { headers: user('a') }), connectYWebsocket(t, wsUrl, 'room', { headers: user('b') }), connectYWebsocket(t, wsUrl, 'other')]
  await synced(a, b, other)
  await app.inject({ method: 'POST', url: `${url}?room=room`, headers: asDjango })
  await when([a, b], () => a.closes.length === 1 && b.closes.length === 1)
  await synced(a, b)
  t.same([a.closes, b.closes, other.closes], [[4205], [4205], []])
  a.doc.getText('text').insert(0, 'still here')
  await when([b], () => b.doc.getText('text').toString() === 'still here')
})

await t.test('With X-User-Id only that user\'s connections are reset, in all rooms named', async (t) => {
  const { app, wsUrl } = await listen(t)
  const clients = [connectYWebsocket(t, wsUrl, 'one', { headers: user('a') }), connectYWebsocket(t, wsUrl, 'two', { headers: user('a') }), connectYWebsocket(t, wsUrl, 'one', { headers: user('b') }), connectYWebsocket(t, wsUrl, 'three', { headers: user('a') })]
  await synced(...clients)
  await app.inject({ method: 'POST', url: `${url}?room=one&room=two`, headers: user('a') })
  await when(clients, () => clients[0]!.closes.length === 1 && clients[1]!.closes.length === 1)
  await synced(...clients)
  t.same(clients.map(({ closes }) => closes), [[4205], [4205], [], []])
})

await t.test('Messages that a client sends after its reset are ignored', async (t) => {
  const { app, wsUrl } = await listen(t)
  const witness = connectYWebsocket(t, wsUrl, 'room')
  await synced(witness)
  const socket = await openSocket(t, `${wsUrl}/collaboration/ws/room`, user('a'))
  socket.pause()
  await app.inject({ method: 'POST', url: `${url}?room=room`, headers: user('a') })
  // An update that inserts 'x' into the text: one client, one struct.
  socket.send(Buffer.from([0, 2, 16, 1, 1, 1, 0, 4, 1, 4, 0x74, 0x65, 0x78, 0x74, 1, 0x78, 0, 0, 0]))
  witness.doc.getText('text').insert(0, 'mine')
  const late = connectYWebsocket(t, wsUrl, 'room')
  await synced(late)
  await when([late], () => late.doc.getText('text').length > 0)
  t.equal(late.doc.getText('text').toString(), 'mine')
})
