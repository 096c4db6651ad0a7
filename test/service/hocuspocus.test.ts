import t from 'tap'
import * as Y from 'yjs'
import { answer, mayEdit, routes, startDjango } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import { openBare } from '../clients/bare-client.ts'
import { connect } from '../clients/connect.ts'
import { hocuspocusKinds, openHocuspocusSocket } from '../clients/hocuspocus-client.ts'
import { about, bytes, read } from '../clients/messages.ts'

const emptyStateVector = Uint8Array.of(0)
const auth = (name: string, token = '') => about(name, bytes(2, 0, token))
const step1 = (name: string) => about(name, bytes(0, 0, emptyStateVector))

for (const kind of hocuspocusKinds) {
  t.test(`${kind} and y-websocket see each other's text and presence`, async (t) => {
    const { wsUrl } = await listen(t)
    const a = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    const b = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    await Promise.all([a.synced(), b.synced()])
    t.same(b.record.scopes, ['read-write'])
    a.awareness.setLocalStateField('user', 'A')
    b.awareness.setLocalStateField('user', 'B')
    await a.until(() => a.awareness.getStates().get(b.doc.clientID)?.['user'] === 'B')
    await b.until(() => b.awareness.getStates().get(a.doc.clientID)?.['user'] === 'A')
    a.text.insert(0, 'one ')
    await b.until(() => b.text.toString() === 'one ')
    b.text.insert(4, 'two')
    await a.until(() => a.text.toString() === 'one two')
    await b.until(() => b.unsyncedChanges() === 0)
    b.destroy()
    await a.until(() => !a.awareness.getStates().has(b.doc.clientID))
  })

  t.test(`${kind} is told that its change is stored once it is, and not before`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const append = app.store.append.bind(app.store)
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => { open = resolve })
    app.store.append = async (entries) => {
      await opened
      return await append(entries)
    }
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'brought along')
    const a = connect(t, { kind, wsUrl, room: 'r', headers: asDjango, doc })
    const b = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    await Promise.all([a.synced(), b.until(() => b.text.length > 0)])
    a.text.insert(0, 'typed and ')
    await b.until(() => b.text.toString() === 'typed and brought along')
    t.ok(a.unsyncedChanges() > 0, 'other clients have it, the store does not')
    open()
    await a.until(() => a.unsyncedChanges() === 0)
    const stored = new Y.Doc()
    for (const { update } of (await app.store.load('r'))?.log ?? []) Y.applyUpdate(stored, update)
    t.equal(stored.getText('t').toString(), 'typed and brought along')
  })

  t.test(`${kind}: changes made while disconnected are exchanged both ways`, async (t) => {
    const { wsUrl } = await listen(t)
    const a = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    const b = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    await Promise.all([a.synced(), b.synced()])
    a.record.open?.terminate()
    await a.until(() => !a.isSynced())
    a.text.insert(0, 'a')
    b.text.insert(0, 'b')
    await Promise.all([
      a.until(() => a.text.length === 2 && a.unsyncedChanges() === 0),
      b.until(() => b.text.length === 2),
    ])
    t.equal(a.text.toString(), b.text.toString())
  })

  t.test(`${kind}: several documents on one socket, each authorised or refused separately`, async (t) => {
    const { wsUrl } = await listen(t)
    const socket = openHocuspocusSocket(t, kind, wsUrl)
    const a = connect(t, { kind, wsUrl, room: 'a', socket, token: await mint('a', { can_edit: true }) })
    await a.synced()
    const refused = connect(t, { kind, wsUrl, room: 'x', socket, token: await mint('y') })
    await refused.until(() => refused.record.denied.length === 1)
    const b = connect(t, { kind, wsUrl, room: 'b', socket, token: await mint('b', { can_edit: true }) })
    await b.synced()
    a.text.insert(0, 'in a')
    b.text.insert(0, 'in b')
    await Promise.all([a.until(() => a.unsyncedChanges() === 0), b.until(() => b.unsyncedChanges() === 0)])
    t.equal(socket.record.attempts, 1)
    t.same(socket.record.denied, ['The ticket is for another room.'])
    const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'a', headers: asDjango })
    await other.until(() => other.text.toString() === 'in a')
  })

  t.test(`${kind}: a name other than the room of the socket is refused`, async (t) => {
    const { wsUrl } = await listen(t)
    const socket = openHocuspocusSocket(t, kind, wsUrl, { room: 'r', headers: asDjango })
    const a = connect(t, { kind, wsUrl, room: 'other', socket })
    await a.until(() => a.record.denied.length > 0)
    t.notOk(a.isSynced())
    const right = connect(t, { kind, wsUrl, room: 'r', socket })
    await right.synced()
    t.equal(socket.record.attempts, 1, 'the socket stays open')
  })

  t.test(`${kind}: after a reset the client receives Close, then 4205, and reconnects`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const a = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    await a.synced()
    a.text.insert(0, 'kept')
    await a.until(() => a.unsyncedChanges() === 0)
    const before = a.record.events.length
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=r', headers: asDjango })
    t.equal(statusCode, 200)
    t.equal(body, '{"message":"Connections reset"}')
    await a.until(() => a.record.scopes.length === 2 && a.isSynced() && a.unsyncedChanges() === 0)
    // Provider 2 would throw on a Close message.
    const inBand = kind === 'Hocuspocus 2' ? [] : ['in-band close']
    t.same(a.record.events.slice(before), [...inBand, 'close 4205', 'open', 'authenticated'])
    t.same(a.record.inBandCloses, kind === 'Hocuspocus 2' ? [] : ['Reset Connection'])
    a.text.insert(4, ' and going on')
    await a.until(() => a.unsyncedChanges() === 0)
  })

  t.test(`${kind}: destroyed and recreated immediately on the same socket, before and after the verdict`, async (t) => {
    const held: Array<() => void> = []
    const django = await startDjango(t, routes((_, response) => {
      held.push(() => { answer(response, 200, mayEdit) })
    }))
    const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
    const socket = openHocuspocusSocket(t, kind, wsUrl, { headers: { cookie: 'sessionid=s' } })
    const first = connect(t, { kind, wsUrl, room: 'r', socket })
    await django.untilAsked(1)
    first.destroy()
    const second = connect(t, { kind, wsUrl, room: 'r', socket })
    const wire = socket.record.open
    // Its pong arrives once the server has processed everything sent before.
    if (wire !== undefined) await new Promise((resolve) => { wire.once('pong', resolve).ping() })
    t.equal(held.length, 1, 'the same question is asked once')
    for (const say of held.splice(0)) say()
    await second.synced()
    second.text.insert(0, 'x')
    await second.until(() => second.unsyncedChanges() === 0)
    second.destroy()
    const third = connect(t, { kind, wsUrl, room: 'r', socket })
    await django.untilAsked(3)
    for (const say of held.splice(0)) say()
    await third.until(() => third.text.toString() === 'x')
    t.equal(socket.record.attempts, 1)
  })
  for (const sessionAwareness of kind === 'Hocuspocus 4' ? [false, true] : [false]) {
    const how = sessionAwareness ? `${kind}, by session ids` : kind

    t.test(`${how}: left before the socket is open, and joined again on it`, async (t) => {
      const { wsUrl } = await listen(t)
      const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
      await other.synced()
      const socket = openHocuspocusSocket(t, kind, wsUrl, { room: 'r', headers: asDjango })
      // The Close of the last but one provider follows the Auth of the last one.
      for (let i = 0; i < 3; i++) connect(t, { kind, wsUrl, room: 'r', socket, sessionAwareness }).destroy()
      const doc = new Y.Doc()
      doc.getText('t').insert(0, 'brought along')
      const again = connect(t, { kind, wsUrl, room: 'r', socket, sessionAwareness, doc })
      again.awareness.setLocalStateField('user', 'A')
      await other.until(() => other.text.toString() === 'brought along')
      await other.until(() => other.awareness.getStates().get(doc.clientID)?.['user'] === 'A')
      await again.until(() => again.unsyncedChanges() === 0)
      other.text.insert(0, 'heard and ')
      await again.until(() => again.text.toString() === 'heard and brought along')
      again.text.insert(0, 'typed, ')
      await again.until(() => again.unsyncedChanges() === 0)
      await other.until(() => other.text.toString() === 'typed, heard and brought along')
      t.equal(socket.record.attempts, 1)
    })

    t.test(`${how}: one of several documents is left while it is being authorised, and joined again`, async (t) => {
      const judged = new Set<string>()
      const held: Array<() => void> = []
      const django = await startDjango(t, routes((request, response) => {
        const look = (): void => {
          if ([...judged].some((room) => request.url?.includes(room))) answer(response, 200, mayEdit)
          else held.push(look)
        }
        look()
      }))
      const judge = (room: string): void => {
        judged.add(room)
        for (const look of held.splice(0)) look()
      }
      const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
      const socket = openHocuspocusSocket(t, kind, wsUrl, { headers: { cookie: 'sessionid=s' } })
      const first = connect(t, { kind, wsUrl, room: 'first', socket, sessionAwareness })
      // Its Close is queued, and is sent once the first document's answer has arrived.
      connect(t, { kind, wsUrl, room: 'second', socket, sessionAwareness }).destroy()
      const second = connect(t, { kind, wsUrl, room: 'second', socket, sessionAwareness })
      await django.untilAsked(2)
      judge('first')
      await first.synced()
      judge('second')
      await second.synced()
      second.text.insert(0, 'x')
      await second.until(() => second.unsyncedChanges() === 0)
      t.equal(socket.record.attempts, 1)
    })
  }
}

t.test('A client that leaves a document is removed from it, and late messages do not bring it back without a new authorisation', async (t) => {
  const { app, wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`)
  const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
  await other.synced()
  const count = async (): Promise<number> => (await app.inject({ url: '/collaboration/api/get-connections/?room=r&sessionKey=s', headers: asDjango })).json().count
  wire.ws.send(auth('r', await mint('r', { can_edit: true })))
  wire.ws.send(step1('r'))
  await wire.until(({ heard }) => heard.some((message) => read(message).type === 2))
  t.equal(await count(), 2)
  wire.ws.send(about('r', bytes(7, 'bye')))
  await wire.until(({ heard }) => heard.some((message) => read(message).type === 3))
  t.equal(await count(), 1)
  // The next one can only read.
  wire.heard.length = 0
  wire.ws.send(auth('r', await mint('r')))
  await wire.until(({ heard }) => heard.some((message) => read(message).type === 2))
  t.same(wire.heard.map(read).find(({ type }) => type === 2)?.rest.slice(2), [...Buffer.from('readonly')])
  wire.ws.send(about('r', bytes(7, 'bye')))
  wire.heard.length = 0
  wire.ws.send(about('r', bytes(0, 2, Y.encodeStateAsUpdate(new Y.Doc()))))
  await wire.until(({ heard }) => heard.some((message) => read(message).type === 2))
  t.same(wire.heard.map(read).find(({ type }) => type === 2)?.rest.slice(2), [...Buffer.from('readonly')], 'by the ticket it has sent last')
})

t.test('Hocuspocus 4: two providers of one document on one socket, distinguished by session ids', async (t) => {
  const { app, wsUrl } = await listen(t)
  const kind = 'Hocuspocus 4'
  const socket = openHocuspocusSocket(t, kind, wsUrl, { room: 'r', headers: asDjango })
  const a = connect(t, { kind, wsUrl, room: 'r', socket, sessionAwareness: true })
  const b = connect(t, { kind, wsUrl, room: 'r', socket, sessionAwareness: true })
  await Promise.all([a.synced(), b.synced()])
  a.text.insert(0, 'from a')
  await b.until(() => b.text.toString() === 'from a')
  a.awareness.setLocalStateField('user', 'A')
  await b.until(() => b.awareness.getStates().get(a.doc.clientID)?.['user'] === 'A')
  await a.until(() => a.unsyncedChanges() === 0)
  t.match((await app.inject({ url: '/collaboration/api/get-connections/?room=r&sessionKey=s', headers: asDjango })).json(), { count: 2 })
  await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=r', headers: asDjango })
  await socket.record.changes.until(() => socket.record.scopes.length === 4)
  t.same(socket.record.inBandCloses, ['Reset Connection', 'Reset Connection'], 'each of them is notified')
  await Promise.all([a.synced(), b.synced()])
  a.destroy()
  await b.until(() => !b.awareness.getStates().has(a.doc.clientID))
  b.text.insert(0, 'b stays: ')
  await b.until(() => b.unsyncedChanges() === 0)
  t.equal(socket.record.attempts, 2)
})

t.test('Messages sent while the page still fetches its ticket wait for it', async (t) => {
  const { wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`)
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'early')
  wire.ws.send(about('r', bytes(0, 2, Y.encodeStateAsUpdate(doc))))
  wire.ws.send(auth('r', await mint('r', { can_edit: true })))
  wire.ws.send(step1('r'))
  await wire.until(({ heard }) => heard.some((message) => read(message).type === 8))
  t.same(read(wire.heard[0] ?? auth('')), { name: 'r', type: 2, rest: [2, 10, ...Buffer.from('read-write')] })
  const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
  await other.until(() => other.text.toString() === 'early')
})

t.test('A socket without credentials can wait, but only for a short time and with few messages', async (t) => {
  const { wsUrl } = await listen(t, { AUTH_TIMEOUT_MS: '50' })
  const silent = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`)
  const chatty = await openBare(t, `${wsUrl}/collaboration/ws/`)
  chatty.ws.send(about('r', bytes(1, Uint8Array.of(0))))
  await Promise.all([silent, chatty].map((client) => client.until(({ closed }) => closed?.code === 4401)))
  t.same(silent.closed, { code: 4401, reason: 'No credentials came in time' })
  t.same(chatty.heard, [], 'and it was not answered')
  const patient = await listen(t)
  const flooding = await openBare(t, `${patient.wsUrl}/collaboration/ws/`)
  for (let i = 0; i < 600; i++) flooding.ws.send(about('r', bytes(1, Uint8Array.of(0))))
  await flooding.until(({ closed }) => closed !== undefined)
  t.equal(flooding.closed?.code, 4529)
  const anonymous = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`)
  anonymous.ws.send(step1('r'))
  await anonymous.until(({ heard }) => heard.length > 0)
  t.same(anonymous.heard.map((message) => read(message).rest[0]), [1], 'permission denied')
})

t.test('A slow verdict does not count as a missing ticket', async (t) => {
  let say = (): void => {}
  const django = await startDjango(t, routes((_, response) => { say = () => { answer(response, 200, mayEdit) } }))
  const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, AUTH_TIMEOUT_MS: '30' })
  const a = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'slow', headers: { cookie: 'sessionid=s' } })
  await django.untilAsked(1)
  const silent = await openBare(t, `${wsUrl}/collaboration/ws/`)
  await silent.until(({ closed }) => closed?.code === 4401)
  say()
  await a.synced()
  t.equal(a.record.attempts, 1)
})

t.test('An invalid ticket is refused despite a valid cookie, whatever is sent after it', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 200, mayEdit) }))
  const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`, { cookie: 'sessionid=s' })
  wire.ws.send(auth('r', 'forged'))
  await wire.until(({ heard }) => heard.length === 1)
  wire.ws.send(step1('r'))
  wire.ws.send(about('r', bytes(1, Uint8Array.of(0))))
  wire.ws.send(auth('other'))
  await wire.until(({ heard }) => heard.some((message) => read(message).name === 'other'))
  t.same(wire.heard.map((message) => [read(message).name, read(message).type, read(message).rest[0]]), [['r', 2, 1], ['other', 2, 2]])
  t.same(django.asked, ['/api/v1.0/documents/other/', '/api/v1.0/users/me/'])
  wire.ws.send(auth('r', await mint('r')))
  await wire.until(({ heard }) => heard.length === 3)
  t.same(read(wire.heard[2] ?? auth('')).rest, [2, 8, ...Buffer.from('readonly')], 'a valid one is')
})

t.test('The number of refusals on one socket is bounded', async (t) => {
  const { wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`)
  for (let i = 0; i < 500 && wire.isOpen; i++) wire.ws.send(auth('r', 'forged'))
  await wire.until(({ heard, closed, isOpen }) => {
    if (isOpen && heard.length > 0) wire.ws.send(auth('r', 'forged'))
    return closed !== undefined
  })
  t.equal(wire.closed?.code, 4529)
})

t.test('The other messages of the protocol are answered, ignored or refused', async (t) => {
  const { wsUrl } = await listen(t)
  const url = `${wsUrl}/collaboration/ws/?room=r`
  const wire = await openBare(t, url, asDjango)
  wire.ws.send(Uint8Array.of(9))
  await wire.until(({ heard }) => heard.length === 1)
  t.same([...wire.heard[0] ?? []], [10], 'Ping → Pong, about the socket')
  wire.ws.send(auth('r'))
  await wire.until(({ heard }) => heard.length === 2)
  wire.ws.send(about('r', bytes(9)))
  await wire.until(({ heard }) => heard.length === 3)
  t.match(read(wire.heard[2] ?? auth('')), { name: 'r', type: 10, rest: [] }, 'Ping → Pong, about a document')
  wire.ws.send(Uint8Array.of(10))
  wire.ws.send(about('r', bytes(5, 'stateless')))
  wire.ws.send(about('r', bytes(3)))
  await wire.until(({ heard }) => heard.length === 4)
  t.match(read(wire.heard[3] ?? auth('')), { type: 1, rest: [1, 0] }, 'Pong and Stateless: nothing. QueryAwareness: nobody is present')
  wire.ws.send(auth('r'))
  await wire.until(({ heard }) => heard.length === 5)
  t.match(read(wire.heard[4] ?? auth('')), { type: 2, rest: [2, 10, ...Buffer.from('read-write')] }, 'Auth again is answered')
  wire.ws.send(about('r', bytes(4, 0, emptyStateVector)))
  await wire.until(({ heard }) => heard.length === 7)
  t.match(wire.heard.slice(5).map((message) => read(message).rest[0]), [1, 0], 'SyncReply is a Sync')
  wire.ws.send(about('r', bytes(6, 'to all')))
  await wire.until(({ closed }) => closed !== undefined)
  t.match(wire.closed, { code: 1007 }, 'BroadcastStateless')
  for (const [what, message, code] of [
    ['text', 'text', 1003],
    ['no message', Uint8Array.of(), 1007],
    ['one unknown byte', Uint8Array.of(42), 1007],
    ['an unknown type', about('r', bytes(11)), 1007],
    ['SyncStatus from a client', about('r', bytes(8, 1)), 1007],
    ['Authenticated from a client', about('r', bytes(2, 2, 'read-write')), 1007],
    ['a name without end', Uint8Array.of(200, 1, 65), 1007],
    ['a name that is no UTF-8', Uint8Array.of(1, 0xff, 9), 1007],
  ] as const) {
    const other = await openBare(t, url, asDjango)
    other.ws.send(message)
    await other.until(({ closed }) => closed !== undefined)
    t.equal(other.closed?.code, code, what)
  }
})
