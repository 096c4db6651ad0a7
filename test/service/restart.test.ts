import * as decoding from 'lib0/decoding'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { encodeSyncStep1, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { hocuspocusAddress } from '../../src/protocol/frame.ts'
import { messageType } from '../../src/protocol/message.ts'
import { startService } from '../crash/service.ts'
import type { Running } from '../processes.ts'
import { openSocket } from '../clients/bare-client.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { areEqual, content } from '../clients/documents.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

async function startServer (
  t: Test,
  folder: string,
  env: Record<string, string> = {}
): Promise<{ server: Running, port: number, wsUrl: string }> {
  const server = await startService(folder, env)
  t.teardown(() => server.stop('SIGKILL'))
  return { server, port: server.port, wsUrl: `ws://127.0.0.1:${server.port}` }
}

/** Sends a document's state over the Hocuspocus protocol, which reports when it is stored. */
async function store (t: Test, wsUrl: string, room: string, doc: Y.Doc): Promise<void> {
  const socket = await openSocket(t, `${wsUrl}/collaboration/ws/?room=${encodeURIComponent(room)}`)
  const stored = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const decoder = decoding.createDecoder(data)
      decoding.readVarString(decoder)
      if (decoding.readVarUint(decoder) === messageType.syncStatus && decoding.readVarUint(decoder) === 1) resolve()
    })
  })
  const { bytes } = hocuspocusAddress(room)
  // Without a token, as its credentials are in the handshake: step 1 opens the document.
  socket.send(Buffer.concat([bytes, encodeSyncStep1(Y.encodeStateVector(doc))]))
  socket.send(Buffer.concat([bytes, encodeUpdate(Y.encodeStateAsUpdate(doc))]))
  await stored
}

await t.test('Killed and started again, the service serves everything it had stored', async (t) => {
  const folder = t.testdir()
  const first = await startServer(t, folder)
  const docs = new Map<string, Y.Doc>()
  for (const room of ['small', 'large', 'ü%20name']) {
    const [a, b] = [connectYWebsocket(t, first.wsUrl, room), connectYWebsocket(t, first.wsUrl, room)]
    await synced(a, b)
    for (let i = 0; i < 200; i++) a.doc.getText('text').insert(i, `${i}`)
    a.doc.getText('text').delete(10, 20)
    if (room === 'large') for (let i = 0; i < 20; i++) b.doc.getArray('array').push(['x'.repeat(100_000)])
    await when([a, b], () => areEqual(a.doc, b.doc))
    // Relayed updates can still be on their way to the disk; an acknowledged one is stored, and all before it.
    await store(t, first.wsUrl, decodeURIComponent(room), a.doc)
    docs.set(room, a.doc)
  }
  t.equal(await first.server.stop('SIGKILL'), null)
  const second = await startServer(t, folder)
  for (const [room, doc] of docs) {
    const late = connectYWebsocket(t, second.wsUrl, room)
    await synced(late)
    t.same(content(late.doc), content(doc), room)
    late.doc.getText('text').insert(0, 'goes on')
  }
  t.equal(await second.server.stop(), 0, 'and stops cleanly')
  t.match(second.server.output(), 'Stopped')
})

await t.test('People who stay through a restart see each other again, with the changes made meanwhile', async (t) => {
  const folder = t.testdir()
  const first = await startServer(t, folder)
  const [a, b] = [connectYWebsocket(t, first.wsUrl, 'room'), connectYWebsocket(t, first.wsUrl, 'room', { version: 'y-websocket 1' })]
  await synced(a, b)
  a.doc.getText('text').insert(0, 'before ')
  await when([b], () => b.doc.getText('text').length > 0)
  t.equal(await first.server.stop('SIGTERM'), 0)
  await when([a], () => a.closes.length > 0)
  t.equal(a.closes[0], 1012)
  a.doc.getText('text').insert(0, 'a meanwhile ')
  b.doc.getText('text').insert(0, 'b meanwhile ')
  await startServer(t, folder, { PORT: `${first.port}` })
  await when([a, b], () => a.provider.synced && b.provider.synced && areEqual(a.doc, b.doc) && a.doc.getText('text').length === 31)
  t.match(a.doc.getText('text').toString(), 'before ')
})
