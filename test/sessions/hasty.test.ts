import t from 'tap'
import type { WebSocket } from 'ws'
import { listen } from '../helper.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

await t.test('If a user pastes a large text, types on and closes the page at once, all of it is stored', async (t) => {
  const { wsUrl } = await listen(t)
  const hasty = connectYWebsocket(t, wsUrl, 'room')
  await synced(hasty)
  // Large enough to be checked in a thread, which has yet to start.
  const pasted = 'pasted '.repeat(100_000)
  hasty.doc.getText('text').insert(0, pasted)
  hasty.doc.getText('text').insert(pasted.length, 'typed')
  // The provider's socket has the class that `connect` gave it. Its close frame follows everything that was sent.
  const socket = hasty.provider.ws as unknown as WebSocket
  hasty.provider.shouldConnect = false
  socket.close()
  const reader = connectYWebsocket(t, wsUrl, 'room')
  await when([reader], () => reader.doc.getText('text').toString() === `${pasted}typed`)
  t.equal(reader.doc.getText('text').length, pasted.length + 5)
})
