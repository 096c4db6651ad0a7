/** Handshakes that no client sends: they open nothing, leave nothing behind, and the service goes on. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { asDjango, listen } from '../helper.ts'

const head = (path: string, more: Record<string, string>): string => {
  const headers = Object.entries({ Host: 'localhost', ...asDjango, ...more })
  return `GET ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}
const upgrade = head('/collaboration/ws/room', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' })

await t.test('Odd handshakes', async (t) => {
  const lines: string[] = []
  const { app, port, url, wsUrl } = await listen(t, { LOG_LEVEL: 'warn' }, { write: (line) => { lines.push(line) } })

  async function goesOn (): Promise<void> {
    const socket = new WebSocket(`${wsUrl}/collaboration/ws/room`, { headers: asDjango })
    await once(socket, 'open')
    socket.terminate()
    t.equal((await fetch(`${url}/ping`)).status, 200)
  }

  for (const [name, bytes, first] of [
    ['after a request on the same connection', head('/ping', {}) + upgrade, /^HTTP\/1\.1 200 /],
    ['after two requests', head('/ping', {}) + head('/health/ready', {}) + upgrade, /^HTTP\/1\.1 200 /],
    ['after a request that is refused', head('/collaboration/ws/room', {}) + upgrade, /^HTTP\/1\.1 404 /],
    ['after another handshake', upgrade + upgrade, /^HTTP\/1\.1 101 /],
  ] as const) {
    await t.test(name, async (t) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
      const [data] = await once(socket, 'data') as [Buffer]
      t.match(data.toString('latin1'), first)
      socket.destroy()
      await goesOn()
    })
  }

  await t.test('Handshakes cut off at any byte', async () => {
    for (let times = 0; times < 100; times++) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(times % 4 < 2 ? upgrade : head('/health/ready', {}) + upgrade)
      if (times % 2 === 0) setImmediate(() => { socket.resetAndDestroy() })
      else socket.resetAndDestroy()
      await once(socket, 'close')
    }
    await goesOn()
  })

  const [pipelined, ...others] = lines
  t.match(pipelined, /"remoteAddress":"127.0.0.1".*Refused a WebSocket handshake/)
  t.match(others, [/"rule":"brokenFrame","code":1002/], 'one warning, whichever client continues, and one for a handshake that arrived as frames')
  t.notMatch(lines.join(''), 'stack')

  await app.close() // hangs, and so fails, if one of them is still open
})
