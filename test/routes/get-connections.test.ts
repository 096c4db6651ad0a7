import t from 'tap'
import { asDjango, build, listen } from '../helper.ts'
import { synced } from '../clients/client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

const url = '/collaboration/api/get-connections/'

await t.test('The answers match the contract, byte for byte', async (t) => {
  const app = await build(t)
  const ask = async (query: string, headers: Record<string, string> = asDjango): Promise<[number, string]> => {
    const response = await app.inject({ url: url + query, headers })
    return [response.statusCode, response.body]
  }
  t.same(await ask('?sessionKey=s'), [400, '{"error":"Room name not provided"}'])
  t.same(await ask(''), [400, '{"error":"Room name not provided"}'])
  t.same(await ask('?room=r'), [400, '{"error":"Session key not provided"}'])
  t.same(await ask('?room=r&sessionKey='), [400, '{"error":"Session key not provided"}'])
  t.same(await ask('?room=r&sessionKey=s'), [404, '{"error":"Room not found"}'])
  t.same(await ask('?room=r&sessionKey=s', {}), [403, '{"error":"Forbidden: Invalid API Key"}'])
  t.equal((await ask('?room=r&room=q&sessionKey=s'))[0], 400)
})

await t.test('Connections that can edit are counted, and the session is looked up among them', async (t) => {
  const { app, wsUrl } = await listen(t)
  const ask = async (sessionKey: string): Promise<unknown> => {
    const response = await app.inject({ url, query: { room: 'room', sessionKey }, headers: asDjango })
    return response.json()
  }
  const reader = connectYWebsocket(t, wsUrl, 'room', { headers: { ...asDjango, 'x-can-edit': 'False', 'x-session-key': 'reading' } })
  await synced(reader)
  t.same(await ask('reading'), { count: 0, exists: false })
  const writers = [
    connectYWebsocket(t, wsUrl, 'room', { headers: { ...asDjango, 'x-session-key': 'writing' } }),
    connectYWebsocket(t, wsUrl, 'room', { headers: { ...asDjango, 'x-can-edit': 'True', cookie: 'sessionid=from-cookie' } }),
  ]
  await synced(...writers)
  t.same(await ask('writing'), { count: 2, exists: true })
  t.same(await ask('from-cookie'), { count: 2, exists: true })
  t.same(await ask('reading'), { count: 2, exists: false })
  for (const { provider } of [...writers, reader]) provider.destroy()
  while (app.rooms.openRooms > 0) await new Promise((resolve) => { setImmediate(resolve) })
  t.same(await ask('writing'), { error: 'Room not found' })
})
