import t from 'tap'
import * as Y from 'yjs'
import type { FastifyInstance } from 'fastify'
import { answer, mayEdit, routes, startDjango } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { openBare } from '../clients/bare-client.ts'
import { synced, type Client } from '../clients/client.ts'
import { connect, kinds } from '../clients/connect.ts'
import { about, bytes } from '../clients/messages.ts'

const reset = (app: FastifyInstance, search: string, headers = {}) =>
  app.inject({ method: 'POST', url: `/collaboration/api/reset-connections/?${search}`, headers: { ...asDjango, ...headers } })

const count = async (app: FastifyInstance, room: string): Promise<unknown> =>
  (await app.inject({ url: `/collaboration/api/get-connections/?room=${room}&sessionKey=k`, headers: asDjango })).json()

const closeCodes = ({ record }: Client): number[] => record.closes.map(({ code }) => code)

for (const kind of kinds) {
  t.test(`${kind}: several rooms in one call; other connections stay open, and repeating it is harmless`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const join = (room: string) => connect(t, { kind, wsUrl, room, headers: asDjango })
    const [one, two, other, elsewhere] = [join('a'), join('a'), join('b'), join('c')]
    const clients = [one, two, other, elsewhere]
    await synced(...clients)
    const { statusCode, body } = await reset(app, 'room=a&room=b&room=nobody-here&room=')
    t.same([statusCode, body], [200, '{"message":"Connections reset"}'])
    t.same(await count(app, 'a'), { error: 'Room not found' }, 'they are closed when the answer arrives')
    await Promise.all([one, two, other].map((client) => {
      return client.until(() => client.record.closes.length === 1 && client.isSynced())
    }))
    t.same(clients.map(closeCodes), [[4205], [4205], [4205], []])
    one.text.insert(0, 'still here')
    await two.until(() => two.text.toString() === 'still here')
    t.equal((await reset(app, 'room=nobody-here')).statusCode, 200)
    t.equal((await reset(app, 'room=nobody-here')).statusCode, 200)
    t.equal(elsewhere.record.attempts, 1)
  })

  t.test(`${kind}: only one user is reset, in all rooms named`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const join = (user: string, room: string) =>
      connect(t, { kind, wsUrl, room, headers: { ...asDjango, 'x-user-id': user } })
    const [inR, inS, unnamed, other] = [join('1', 'r'), join('1', 's'), join('1', 'unnamed'), join('2', 'r')]
    await synced(inR, inS, unnamed, other)
    const { statusCode, body } = await reset(app, 'room=r&room=s', { 'x-user-id': '1' })
    t.same([statusCode, body], [200, '{"message":"Connections reset"}'])
    for (const client of [inR, inS]) await client.until(() => client.record.closes.length > 0 && client.isSynced())
    await reset(app, 'room=r', { 'x-user-id': '3' })
    inR.text.insert(0, 'x')
    await other.until(() => other.text.length === 1)
    t.same([inR, inS, unnamed, other].map(closeCodes), [[4205], [4205], [], []])
  })

  t.test(`${kind}: a verdict in progress is requested again`, async (t) => {
    const answers = [mayEdit, undefined]
    const held: Array<() => void> = []
    const django = await startDjango(t, routes((_, response) => {
      held.push(() => {
        const says = answers.shift()
        answer(response, says === undefined ? 403 : 200, says ?? '')
      })
    }))
    const { app, wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
    const client = connect(t, { kind, wsUrl, room: 'r', headers: { cookie: 'sessionid=s' } })
    await django.untilAsked(1)
    await reset(app, 'room=r', { 'x-user-id': 'somebody' })
    held.shift()?.()
    await django.untilAsked(3)
    held.shift()?.()
    await client.until(() => client.record.denied.length > 0)
    t.same(client.record.denied, ['You may not read this document.'])
    t.notOk(client.isSynced())
    t.same(await count(app, 'r'), { error: 'Room not found' })
  })
}

for (const isHocuspocus of [false, true]) {
  t.test(`No change that a client sends after the answer takes effect, even if it does not receive the close: ${isHocuspocus ? 'Hocuspocus' : 'y-websocket'}`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: { ...asDjango, 'x-user-id': 'other' } })
    await other.synced()
    const wire = await openBare(t, `${wsUrl}/collaboration/ws/${isHocuspocus ? '?room=r' : 'r'}`, { ...asDjango, 'x-user-id': 'revoked' })
    const doc = new Y.Doc()
    const send = (text: string): void => {
      doc.getText('t').insert(0, text)
      const write = bytes(0, 2, Y.encodeStateAsUpdate(doc))
      wire.ws.send(isHocuspocus ? about('r', write) : about('', write).subarray(1))
    }
    if (isHocuspocus) wire.ws.send(about('r', bytes(2, 0, '')))
    send('before')
    await other.until(() => other.text.toString() === 'before')
    wire.ws.pause()
    await reset(app, 'room=r', { 'x-user-id': 'revoked' })
    send('after and ')
    await new Promise((resolve) => { wire.ws.ping(resolve) })
    other.text.insert(0, '!')
    const witness = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    await witness.synced()
    wire.ws.resume()
    await wire.until(({ closed }) => closed !== undefined)
    t.equal(wire.closed?.code, 4205)
    t.equal(witness.text.toString(), '!before')
    t.same(other.record.closes, [])
  })
}
