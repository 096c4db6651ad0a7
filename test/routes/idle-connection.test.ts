import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { WebSocket } from 'ws'
import { asDjango, build } from '../helper.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag above defines it

await t.test('An open connection does not keep its request in memory', async (t) => {
  const app = await build(t)
  const requests: WeakRef<object>[] = []
  app.addHook('preHandler', async (request) => { requests.push(new WeakRef(request), new WeakRef(request.raw)) })
  const url = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('http', 'ws')
  const sockets = ['/collaboration/ws/room', '/collaboration/ws/?room=other'].map((path) => new WebSocket(`${url}${path}`, { headers: asDjango }))
  await Promise.all(sockets.map(async (socket) => await once(socket, 'open')))
  t.equal(requests.length, 4)
  // Memory that one turn of the event loop still holds is free in a later one.
  for (let turn = 0; turn < 50 && requests.some((each) => each.deref() !== undefined); turn++) {
    await setTimeout(10)
    collectGarbage()
  }
  t.same(requests.map((each) => each.deref() === undefined), [true, true, true, true])
  t.ok(sockets.every(({ readyState }) => readyState === WebSocket.OPEN))
  for (const socket of sockets) socket.close()
})
