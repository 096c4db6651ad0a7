import t from 'tap'
import type { WebSocket } from 'ws'
import { listen } from '../helper.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { areEqual } from '../clients/documents.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

/** More than the kernel's buffers of both ends can hold. */
const lines = 400
const lineBytes = 50_000

await t.test('A client that stops reading does not affect others, and receives everything when it reads again', async (t) => {
  const { app, wsUrl } = await listen(t, { MAX_SOCKET_BUFFER_BYTES: '262144' })
  const [writer, reader, slow] = [connectYWebsocket(t, wsUrl, 'room'), connectYWebsocket(t, wsUrl, 'room'), connectYWebsocket(t, wsUrl, 'room')]
  await synced(writer, reader, slow)
  // The provider's socket has the class that `connect` gave it.
  const socket = slow.provider.ws as unknown as WebSocket
  socket.pause()
  for (let line = 0; line < lines; line++) {
    writer.doc.getArray('array').push([`${line} `.padEnd(lineBytes, 'x')])
    await when([reader], () => reader.doc.getArray('array').length === line + 1)
  }
  t.ok(slow.doc.getArray('array').length < lines, 'it does not read')
  t.equal(app.rooms.counters.resyncs, 1)
  writer.provider.awareness.setLocalState({ at: 'the end' })
  socket.resume()
  await when([slow], () => slow.doc.getArray('array').length === lines && areEqual(slow.doc, writer.doc))
  await when([slow], () => JSON.stringify(slow.provider.awareness.getStates().get(writer.doc.clientID)) === '{"at":"the end"}')
  t.same(slow.closes, [], 'without a reconnect')
})
