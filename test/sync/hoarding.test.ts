import t from 'tap'
import { Engine } from './engine.ts'

t.test('who asks for presence and does not read is closed, not answered into memory', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  const { socket, connection } = peer
  socket.buffered = 2 * 1024 * 1024
  connection.receive({ type: 'query-awareness' })
  t.equal(socket.closed?.code, 4508)
})
