import t, { type Test } from 'tap'
import { asDjango, build, listen } from '../helper.ts'
import { closeCode, connectBare, handshake, openBare, openSocket } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { about, bytes } from '../clients/messages.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'
import { checkAnswers } from './answer-table.ts'

/** Ways to write a room's name in a path: each leads to the same room. */
const ways: Record<string, readonly string[]> = {
  plain: ['plain', 'plain/', '%70lain'],
  'with blank': ['with%20blank', 'with%20blank/'],
  'ü日本語😀': [encodeURIComponent('ü日本語😀'), 'ü日本語😀'],
  'a/b': ['a%2Fb', 'a/b', 'a%2fb'],
  '100%': ['100%25'],
  '%2F': ['%252F'],
  '?#': ['%3F%23'],
  'a+b': ['a+b', 'a%2Bb'],
  '...': ['...'],
  ['x'.repeat(255)]: ['x'.repeat(255)],
  ['ü'.repeat(255)]: [encodeURIComponent('ü'.repeat(255))],
}

await t.test('A name is percent-decoded once, and every encoding of it is the same room', async (t) => {
  const { app, wsUrl } = await listen(t)
  for (const [name, paths] of Object.entries(ways)) {
    const clients = paths.map((path) => connectYWebsocket(t, wsUrl, path))
    await synced(...clients)
    t.equal(app.rooms.size(name), paths.length, `${name.slice(0, 20)} (${name.length})`)
    const response = await app.inject({ url: '/collaboration/api/get-connections/', query: { room: name, sessionKey: 's' }, headers: asDjango })
    t.same(response.json(), { count: paths.length, exists: false }, 'Django uses the same room')
    for (const [i, { doc }] of clients.entries()) doc.getArray('array').push([i])
    await when(clients, () => clients.every(({ doc }) => doc.getArray('array').length === paths.length))
    for (const { provider } of clients) provider.destroy()
  }
})

/** Resolves when a y-websocket client that names its room like this has been denied access permanently. */
async function expectDenial (t: Test, wsUrl: string, path: string, reason: string): Promise<void> {
  const client = connectBare(t, `${wsUrl}/collaboration/ws/${path}`, asDjango)
  await client.until(({ closed }) => closed !== undefined)
  t.same(client.closed, { code: 4403, reason }, path)
  t.same([...client.heard[0] ?? []].slice(0, 2), [2, 0], 'permission denied')
}

await t.test('A disallowed name is refused permanently', async (t) => {
  const { app, wsUrl } = await listen(t)
  for (const name of ['x'.repeat(256), '%20x', 'x%20', 'a%00b', 'a%0Ab', '%7F', '%E2%80%A8']) {
    await expectDenial(t, wsUrl, name, 'The name of the room is not allowed.')
  }
  t.equal(app.rooms.openRooms, 0)
})

await t.test('On a Hocuspocus socket a disallowed or repeated ?room= denies its documents, and the socket stays open', async (t) => {
  const { app, wsUrl } = await listen(t)
  for (const query of ['room=', 'room=a&room=a', 'room=a&room=b', 'room=..', 'room=a%00', `room=${'x'.repeat(256)}`]) {
    const client = await openBare(t, `${wsUrl}/collaboration/ws/?${query}`, asDjango)
    client.ws.send(about('a', bytes(2, 0, '')))
    await client.until(({ heard }) => heard.length > 0)
    t.ok(client.isOpen, query)
    t.same([...client.heard[0] ?? []].slice(0, 4), [1, 97, 2, 1], 'permission denied')
  }
  t.equal(app.rooms.openRooms, 0)
})

await t.test('Dots and broken escapes open no room', async (t) => {
  const { app, port } = await listen(t)
  for (const path of ['.', '..', '%2E', '%2e%2E']) {
    const status = await handshake(port, `/collaboration/ws/${path}`)
    t.ok([101, 404].includes(status), `${path}: ${status}`)
  }
  for (const path of ['%', '%ZZ', '%C3', '%ED%A0%80']) {
    t.equal((await app.inject({ url: `/collaboration/ws/${path}`, headers: asDjango })).statusCode, 400, path)
  }
  t.equal(app.rooms.openRooms, 0)
})

await t.test('A ?room= that differs from the path is refused; one that matches it is accepted', async (t) => {
  const { app, wsUrl } = await listen(t)
  for (const query of ['room=other', 'room=', 'room=here&room=here', 'room=here&room=other', 'room=HERE']) {
    await expectDenial(t, wsUrl, `here?${query}`, 'The request names more than one room.')
  }
  t.equal(app.rooms.openRooms, 0)
  const client = connectYWebsocket(t, wsUrl, 'here', { params: { room: 'here' } })
  await synced(client)
  t.equal(app.rooms.size('here'), 1)
})

await t.test('La Suite\'s pattern allows UUIDs only', async (t) => {
  const { app, wsUrl } = await listen(t, { ROOM_NAME_PATTERN: '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}' })
  const good = connectYWebsocket(t, wsUrl, '3c7f3a0e-9f0c-4a5e-8c9f-1d2e3f4a5b6c')
  await synced(good)
  for (const name of ['room', '3c7f3a0e-9f0c-1a5e-8c9f-1d2e3f4a5b6c', 'x3c7f3a0e-9f0c-4a5e-8c9f-1d2e3f4a5b6c']) {
    t.equal(await closeCode(await openSocket(t, `${wsUrl}/collaboration/ws/${name}`)), 4403)
  }
  t.equal(app.rooms.openRooms, 1)
})

await t.test('A plain request to the WebSocket routes is not a room either', async (t) => {
  const app = await build(t)
  await checkAnswers(t, app, [
    ['GET', '/collaboration/ws/r', 404, '{"error":"Not found"}'],
    ['GET', '/collaboration/ws', 404, '{"error":"Not found"}'],
    ['GET', '/collaboration/ws?room=r', 404, '{"error":"Not found"}'],
    ['HEAD', '/collaboration/ws/r', 404, ''],
    ['POST', '/collaboration/ws/r', 404, '{"error":"Not found"}'],
    ['DELETE', '/collaboration/ws', 404, '{"error":"Not found"}'],
  ])
  t.equal(app.rooms.openRooms, 0)
})
