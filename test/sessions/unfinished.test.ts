import t from 'tap'
import * as Y from 'yjs'
import type { FastifyInstance } from 'fastify'
import { maxBytesBeforeAdmission } from '../../src/sessions/inbound.ts'
import { mint } from '../service/tickets.ts'
import { asDjango, listen } from '../helper.ts'
import { openBare } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { areEqual } from '../clients/documents.ts'
import { eventually } from '../clients/eventually.ts'
import { about, bytes } from '../clients/messages.ts'
import { frame, header, opcodes, openRaw, type RawClient } from '../clients/raw-client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

const KiB = 1024
const MiB = 1024 * KiB
const { binary, continuation, ping, pong } = opcodes
/** Longer than a message can stall, plus the delay until the sweep notices it */
const longAfter = 60_000

const asReader = async (user = 'reader'): Promise<string> => `/collaboration/ws/r?token=${await mint('r', { can_edit: false, user_id: user })}`
const asEditor = async (user = 'editor'): Promise<string> => `/collaboration/ws/r?token=${await mint('r', { can_edit: true, user_id: user })}`

/** Waits until the service holds so many bytes. */
async function held (app: FastifyInstance, check: (bytes: number) => boolean): Promise<void> {
  await eventually(() => check(app.gate.inbound.total))
}

/** Lets time pass for the sweep. */
const later = (app: FastifyInstance, ms: number): void => { app.gate.inbound.sweep(performance.now() + ms) }

const step1 = frame(binary, Uint8Array.of(0, 0, 1, 0))
const half = Buffer.alloc(100 * KiB)

const kinds: Record<string, (client: RawClient) => Promise<void>> = {
  'only the header of a frame': async (client) => { await client.write(header(binary, 30 * MiB)) },
  'half of a header': async (client) => { await client.write(header(binary, 30 * MiB).subarray(0, 5)) },
  'half of a frame': async (client) => { await client.write(header(binary, 200 * KiB), half) },
  'all but the last bytes': async (client) => { await client.write(header(binary, half.length + 2), half) },
  'a fragment that is never continued': async (client) => { await client.write(frame(binary, half, false)) },
  'an empty fragment': async (client) => { await client.write(frame(binary, Buffer.alloc(0), false)) },
  'fragments of a byte': async (client) => {
    const next = frame(continuation, Buffer.alloc(1), false)
    await client.write(frame(binary, Buffer.alloc(1), false), ...new Array<Buffer>(100).fill(next))
  },
  'half of a ping': async (client) => { await client.write(frame(ping, Buffer.alloc(100)).subarray(0, 50)) },
}

for (const [kind, send] of Object.entries(kinds)) {
  await t.test(`${kind}, then only control frames and small pieces: closed within a minute`, async (t) => {
    const { app, port } = await listen(t)
    let shiftMs = 0
    Object.assign(app.gate, { now: () => performance.now() + shiftMs })
    const client = await openRaw(t, port, await asEditor())
    await client.write(step1)
    await send(client)
    await held(app, (bytes) => bytes > 0)
    shiftMs = 40_000
    later(app, shiftMs)
    t.ok(app.gate.inbound.total > 0, 'it is allowed 40 s')
    const before = app.gate.inbound.total
    await client.write(...kind.includes('fragment') ? [frame(pong, Buffer.alloc(0)), frame(continuation, Buffer.alloc(0), false)] : [Buffer.alloc(1)])
    await held(app, (bytes) => bytes !== before)
    later(app, 55_000)
    t.equal(await client.closed, 4508)
    t.equal(app.gate.inbound.total, 0)
  })
}

await t.test('A message that keeps arriving is given its time, and arrives', async (t) => {
  const { app, port, wsUrl } = await listen(t)
  const writer = await openRaw(t, port, await asEditor())
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(3 * MiB))
  const update = Y.encodeStateAsUpdate(doc)
  const message = frame(binary, message2(update))
  await writer.write(step1)
  const part = 256 * KiB
  for (let at = 0; at < message.length; at += part) {
    await writer.write(message.subarray(at, at + part))
    await held(app, (bytes) => bytes >= Math.min(at + part, message.length) || at + part >= message.length)
    later(app, 44_000)
  }
  const reader = connectYWebsocket(t, wsUrl, 'r')
  await when([reader], () => reader.doc.getText('text').length === 3 * MiB)
  t.equal(app.gate.inbound.total, 0)
})

await t.test('While the service itself is not reading, the client is not late', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asEditor())
  await client.write(step1, header(binary, 200 * KiB), half)
  await held(app, (bytes) => bytes > half.length)
  for (const { socket } of app.rooms.connections()) socket.pause()
  later(app, longAfter)
  t.ok(app.gate.inbound.total > half.length)
  for (const { socket } of app.rooms.connections()) socket.resume()
  later(app, 30_000)
  t.ok(app.gate.inbound.total > half.length, 'its time starts again')
  later(app, longAfter)
  t.equal(await client.closed, 4508)
})

await t.test('A message that arrives byte by byte costs no more than is counted', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asEditor())
  await client.write(step1, header(binary, 1000))
  await held(app, (bytes) => bytes > 0)
  for (let count = 0; count < 20; count++) {
    const before = app.gate.inbound.total
    await client.write(Buffer.alloc(1))
    await held(app, (bytes) => bytes > before)
  }
  t.ok(app.gate.inbound.total > 20 * 500, 'a chunk is larger than its byte')
})

await t.test('Control frames beside a byte of payload count: the byte keeps their chunk in memory', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asEditor())
  const pongs = Buffer.concat(new Array<Buffer>(400).fill(frame(pong, Buffer.alloc(120))))
  await client.write(step1, frame(binary, Buffer.alloc(1), false))
  for (let count = 0; count < 10; count++) {
    await client.write(Buffer.concat([frame(continuation, Buffer.alloc(1), false), pongs]))
  }
  await held(app, (bytes) => bytes > 10 * pongs.length)
  client.socket.destroy()
  await held(app, (bytes) => bytes === 0)
})

await t.test('Endless fragments are cut off', async (t) => {
  const { app, port } = await listen(t)
  for (const size of [0, 1]) {
    const client = await openRaw(t, port, await asEditor())
    const fragments = Buffer.concat(new Array<Buffer>(10_000).fill(frame(continuation, Buffer.alloc(size), false)))
    await client.write(step1, frame(binary, Buffer.alloc(1), false), fragments, fragments)
    t.not(await client.closed, 1000)
    t.equal(app.gate.inbound.total, 0)
  }
})

for (const [kind, path] of [['a Hocuspocus socket without credentials', '/collaboration/ws/'], ['one for a document', '/collaboration/ws/?room=r']] as const) {
  await t.test(`Before it is authorised, ${kind} cannot send a large message`, async (t) => {
    const { app, port } = await listen(t)
    const client = await openRaw(t, port, path)
    await client.write(header(binary, maxBytesBeforeAdmission + 1), half)
    t.ok([1006, 1009].includes(await client.closed))
    t.equal(app.gate.inbound.total, 0)
  })
}

await t.test('Messages that wait for a verdict are counted, and bounded', async (t) => {
  const { app, wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`)
  wire.ws.send(about('r', bytes(0, 2, Buffer.alloc(400 * KiB))))
  await held(app, (total) => total > 400 * KiB)
  wire.ws.send(about('r', bytes(7)))
  await held(app, (total) => total === 0)
  for (let count = 0; count < 3; count++) wire.ws.send(about('r', bytes(0, 2, Buffer.alloc(400 * KiB))))
  await wire.until(({ closed }) => closed !== undefined)
  t.equal(wire.closed?.code, 4529)
  t.equal(app.gate.inbound.total, 0)
})

await t.test('Once authorised, a Hocuspocus socket can send a large message', async (t) => {
  const { app, wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`, asDjango)
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(2 * MiB))
  wire.ws.send(about('r', bytes(0, 0, Uint8Array.of(0))))
  await wire.until(({ heard }) => heard.length > 0)
  wire.ws.send(about('r', bytes(0, 2, Y.encodeStateAsUpdate(doc))))
  const reader = connectYWebsocket(t, wsUrl, 'r')
  await when([reader], () => reader.doc.getText('text').length === 2 * MiB)
  t.equal(app.gate.inbound.total, 0)
})

await t.test('A large message of a read-only client takes no memory and is rejected, and the client stays connected', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asReader())
  await client.write(step1, header(binary, 20 * MiB))
  for (let sent = 0; sent < 20; sent++) {
    await client.write(Buffer.alloc(sent === 19 ? MiB - 1 : MiB))
    await held(app, (bytes) => bytes > 0)
    t.ok(app.gate.inbound.total < 2 * MiB, `${app.gate.inbound.total} bytes held`)
  }
  await client.write(Buffer.alloc(1))
  await held(app, (bytes) => bytes === 0)
  t.equal(app.rooms.counters.refused, 1)
  t.equal([...app.rooms.connections()].length, 1)
})

await t.test('The same holds for a fragmented one; a stalled one is still closed', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asReader())
  await client.write(step1, frame(binary, half, false))
  for (let sent = 0; sent < 40; sent++) await client.write(frame(continuation, half, false))
  await held(app, (bytes) => bytes < 100 * KiB && bytes > 0)
  later(app, longAfter)
  t.equal(await client.closed, 4508)
})

for (const version of ['y-websocket 2', 'y-websocket 3'] as const) {
  await t.test(`${version}: a read-only client with long offline work stays connected, and sees what others type`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const doc = new Y.Doc()
    doc.getText('text').insert(0, 'offline '.repeat(500_000))
    const reader = connectYWebsocket(t, wsUrl, 'r', { version, doc, headers: {}, params: { token: await mint('r', { can_edit: false }) } })
    await synced(reader)
    const writer = connectYWebsocket(t, wsUrl, 'r')
    await synced(writer)
    writer.doc.getMap('map').set('key', 'value')
    await when([reader], () => reader.doc.getMap('map').get('key') === 'value')
    t.same(reader.closes, [])
    t.notOk(areEqual(reader.doc, writer.doc), 'the offline work is rejected')
    t.equal(app.rooms.counters.refused, 1)
  })
}

await t.test('A read-only client that gains the right to edit can send a large message, and the reverse', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asReader())
  await client.write(step1)
  const large = frame(binary, message2(Buffer.alloc(3 * MiB)))
  const [connection] = [...app.rooms.connections()]
  connection!.takeOver({ canEdit: true })
  await client.write(large.subarray(0, 2 * MiB))
  await held(app, (bytes) => bytes >= 2 * MiB)
  connection!.takeOver({ canEdit: false })
  await client.write(large.subarray(2 * MiB, -1))
  await held(app, (bytes) => bytes < MiB)
  await client.write(large.subarray(-1))
  await held(app, (bytes) => bytes === 0)
  t.equal(app.rooms.counters.refused, 1)
})

const small = { MAX_FRAME_BYTES: `${2 * MiB}`, MAX_UNFINISHED_BYTES: `${6 * MiB}` }
const holding = async (client: RawClient): Promise<void> => {
  await client.write(step1, header(binary, 2 * MiB), Buffer.alloc(MiB))
}

await t.test('Many sockets of one user cannot crowd out another user\'s message', async (t) => {
  const { app, port, wsUrl } = await listen(t, small)
  const honest = await openRaw(t, port, await asEditor('honest'))
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(1.5 * MiB))
  const upload = frame(binary, message2(Y.encodeStateAsUpdate(doc)))
  await honest.write(step1, upload.subarray(0, MiB))
  await held(app, (bytes) => bytes > MiB)
  const codes: number[] = []
  for (let count = 0; count < 20; count++) {
    const client = await openRaw(t, port, await asEditor('greedy'))
    client.closed.then((code) => { codes.push(code) }, () => {})
    await holding(client)
    t.ok(app.gate.inbound.total <= 6 * MiB, `${app.gate.inbound.total} bytes`)
  }
  await eventually(() => codes.length >= 8)
  t.ok(codes.every((code) => code === 4503), `${codes}`)
  await honest.write(upload.subarray(MiB))
  const reader = connectYWebsocket(t, wsUrl, 'r')
  await when([reader], () => reader.doc.getText('text').length === 1.5 * MiB)
})

await t.test('The largest message arrives however small the budget', async (t) => {
  const { port, wsUrl } = await listen(t, { MAX_FRAME_BYTES: `${2 * MiB}`, MAX_UNFINISHED_BYTES: '1' })
  const client = await openRaw(t, port, await asEditor())
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(1.9 * MiB))
  const upload = frame(binary, message2(Y.encodeStateAsUpdate(doc)))
  await client.write(step1)
  for (let at = 0; at < upload.length; at += MiB / 4) await client.write(upload.subarray(at, at + MiB / 4))
  const reader = connectYWebsocket(t, wsUrl, 'r')
  await when([reader], () => reader.doc.getText('text').length === Math.floor(1.9 * MiB))
})

await t.test('Stalled messages of many users are dropped before one that progresses', async (t) => {
  const { app, port } = await listen(t, small)
  const { inbound } = app.gate
  const cut: string[] = []
  const sender = (owner: string, stalledMs: number) => {
    return { owner, stalledMs: () => stalledMs, cut: () => { cut.push(owner) } }
  }
  const clients = await Promise.all(['a', 'b'].map(async (user) => await openRaw(t, port, await asEditor(user))))
  for (const client of clients) await holding(client)
  await held(app, (bytes) => bytes > 2 * MiB)
  inbound.set(sender('small', 30_000), 10 * KiB)
  inbound.set(sender('progressing', 1000), 3.5 * MiB)
  inbound.set(sender('stalled', 20_000), MiB)
  inbound.set(sender('late', 0), 1.5 * MiB)
  t.same(cut, ['stalled', 'progressing'])
})

await t.test('A socket that its client has half closed is destroyed with its buffers', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asEditor())
  await client.write(step1, header(binary, MiB), half)
  await held(app, (bytes) => bytes > half.length)
  client.socket.end()
  await held(app, (bytes) => bytes === 0)
  await client.closed
  t.same([...app.rooms.connections()], [])
})

await t.test('A socket that is being closed keeps nothing that still arrives', async (t) => {
  const { app, port } = await listen(t)
  const client = await openRaw(t, port, await asEditor())
  await client.write(step1, header(binary, 20 * MiB), half)
  await held(app, (bytes) => bytes > half.length)
  app.rooms.reset('r')
  t.equal(app.gate.inbound.total, 0)
  await client.write(Buffer.alloc(20 * MiB - half.length), frame(opcodes.close, Uint8Array.of(4205 >> 8, 4205 & 255)))
  t.equal(await client.closed, 4205)
  t.equal(app.gate.inbound.total, 0)
})

/** A y-websocket update. */
function message2 (update: Uint8Array): Buffer {
  const length: number[] = []
  for (let rest = update.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Uint8Array.of(0, 2, ...length), update])
}
