import t from 'tap'
import { asDjango, listen } from '../helper.ts'
import { closeCode, handshake, openSocket } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

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

await t.test('A disallowed name is refused permanently', async (t) => {
  const { app, wsUrl } = await listen(t)
  const names = ['x'.repeat(256), '%20x', 'x%20', 'a%00b', 'a%0Ab', '%7F', '%E2%80%A8']
  for (const name of names) {
    const socket = await openSocket(t, `${wsUrl}/collaboration/ws/${name}`)
    t.equal(await closeCode(socket), 4403, name)
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
    const socket = await openSocket(t, `${wsUrl}/collaboration/ws/here?${query}`)
    t.equal(await closeCode(socket), 4403, query)
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
  const { app, url } = await listen(t)
  for (const path of ['/collaboration/ws/room', '/collaboration/ws/', '/collaboration/ws']) {
    const response = await fetch(url + path, { headers: asDjango })
    t.equal(response.status, 404)
    t.same(await response.json(), { error: 'Not found' })
  }
  t.equal(app.rooms.openRooms, 0)
})
