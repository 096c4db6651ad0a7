import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { listen, secret } from '../helper.ts'

t.test('A handshake on a route without WebSocket is 404, and does not delay the stop', async (t) => {
  const lines: string[] = []
  const { app, wsUrl } = await listen(t, { LOG_LEVEL: 'info' }, { write: (line) => { lines.push(line) } })
  const status = async (path: string, headers: Record<string, string>): Promise<number> => {
    const socket = new WebSocket(wsUrl + path, { headers })
    socket.on('error', () => undefined) // the refused handshake, which is expected
    const [, response] = await once(socket, 'unexpected-response')
    return response.statusCode
  }
  t.equal(await status('/ping?token=a-ticket', {}), 404)
  t.equal(await status('/collaboration/api/get-connections/?room=a', { authorization: secret }), 404)
  t.equal(await status('/collaboration/ws/%', { authorization: secret }), 400)
  t.equal(await status('/collaboration/ws/a', { authorization: secret, origin: 'http://elsewhere' }), 403)
  t.notMatch(lines.join(''), 'a-ticket')
  await app.close() // hangs, and so fails, if one of them is still open
})
