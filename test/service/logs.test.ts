/** The log of a service that people and Django use. */
import { once } from 'node:events'
import t from 'tap'
import { version } from '../../src/settings/version.ts'
import { asDjango, listen, secret } from '../helper.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { mint } from './tickets.ts'
import { openSocket, connectBare } from '../clients/bare-client.ts'
import { synced } from '../clients/client.ts'
import { connectHocuspocus } from '../clients/hocuspocus-client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

interface Line { readonly level: number, readonly msg: string, readonly [field: string]: unknown }

/** Collects lines as the service writes them, and resolves when one has appeared. */
class Log {
  readonly texts: string[] = []
  readonly #waiting = new Set<() => void>()

  write (line: string): void {
    this.texts.push(line)
    for (const look of [...this.#waiting]) look()
  }

  get lines (): Line[] { return this.texts.map((text) => JSON.parse(text) as Line) }
  of (msg: string): Line[] { return this.lines.filter((line) => line.msg === msg) }

  async until (check: (log: this) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => { if (check(this)) { this.#waiting.delete(look); resolve() } }
      this.#waiting.add(look)
      look()
    })
  }
}

const [info, error] = [30, 50]

t.test('The start, opened and closed documents, and requests are logged', async (t) => {
  const log = new Log()
  const { app, url, wsUrl } = await listen(t, { COLLABORATION_SERVER_ORIGIN: 'https://a.example,https://b.example', LOG_LEVEL: 'info' }, log)
  await log.until(() => log.of('Started').length > 0)
  t.match(log.of('Started'), [{ level: info, version, nodeVersion: process.version, store: 'lmdb', bus: 'local', origins: ['https://a.example', 'https://b.example'], documents: 0, node: /:\d+$/ }])

  const client = connectYWebsocket(t, wsUrl, 'plan', { headers: { ...asDjango, 'x-user-id': 'ann' } })
  const other = connectHocuspocus(t, wsUrl, 'plan')
  await synced(client)
  await log.until(() => log.of('Opened a document').length === 2)
  await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=plan', headers: { ...asDjango, 'x-user-id': 'ann' } })
  other.provider.configuration.websocketProvider.destroy()
  await log.until(() => log.of('Closed a document').length >= 2)
  t.match(log.of('Opened a document')[0], { level: info, room: 'plan', user: 'ann', protocol: 'y-websocket', node: /:\d+$/ })
  t.match(log.of('Closed a document').find(({ user }) => user === 'ann'), { level: info, room: 'plan', protocol: 'y-websocket', node: /:\d+$/, seconds: Number, code: 4205 })
  t.match(log.of('Closed a document').find(({ protocol }) => protocol === 'hocuspocus'), { level: info, room: 'plan', seconds: Number, code: Number })

  const answered = log.of('Answered a request').length
  t.equal((await fetch(`${url}/ping`)).status, 200)
  t.equal((await fetch(`${url}/metrics`)).status, 403)
  await log.until(() => log.of('Answered a request').length > answered)
  t.match(log.of('Answered a request').slice(answered), [{ level: info, statusCode: 403, req: { method: 'GET', url: '/metrics' } }], 'a success is logged at debug')
})

t.test('No line contains a secret, and a name cannot split a line', async (t) => {
  const log = new Log()
  const room = 'r\u009b31m\u202e'
  const user = `u\n{"level":60}${'x'.repeat(1000)}`
  const ticket = await mint(room, { user_id: user, can_edit: true })
  const { app, wsUrl } = await listen(t, { LOG_LEVEL: 'trace', ROOM_NAME_PATTERN: '.*' }, log)
  const path = encodeURIComponent(room)
  const client = connectBare(t, `${wsUrl}/collaboration/ws/${path}?token=${ticket}`, { cookie: 'sessionid=cookie-of-ann' })
  await client.until(({ heard }) => heard.length > 0)
  client.ws.close()
  await once(client.ws, 'close')
  await log.until(() => log.of('Closed a document').length === 1)
  await app.inject({ url: `/collaboration/api/get-connections/?room=${path}&sessionKey=key-of-ann`, headers: { authorization: 'a-guess-at-the-secret', cookie: 'sessionid=cookie-of-ann' } })
  await app.inject({ url: `/${'y'.repeat(5000)}`, headers: asDjango })
  const [opened] = log.of('Opened a document')
  t.equal(opened?.['room'], 'r\\u{9b}31m\\u{202e}')
  t.match(opened?.['user'], /^u\\u\{a\}\{"level":60\}x+…$/)
  for (const text of log.texts) {
    t.equal(text.indexOf('\n'), text.length - 1, 'one line')
    t.ok(text.length < 3000, `${text.length} characters`)
    for (const hidden of [ticket, secret, 'cookie-of-ann', 'key-of-ann', 'a-guess']) t.notOk(text.includes(hidden), hidden)
  }
})

t.test('A failing PostgreSQL is logged as one line in 10 s, without a stack', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const log = new Log()
  // The start counts the documents meanwhile, and uses the same server.
  const { wsUrl } = await listen(t, { DATABASE_URL: await server.makeSchema('y_provider'), LOG_LEVEL: 'warn' }, log)
  await server.restart(async () => {
    for (let count = 0; count < 30; count++) {
      const socket = await openSocket(t, `${wsUrl}/collaboration/ws/room-${count}`)
      if (socket.readyState < socket.CLOSING) await once(socket, 'close')
    }
  })
  const failures = log.lines.filter(({ level }) => level >= 40)
  t.ok(failures.length > 0)
  for (const failure of failures) t.equal(JSON.stringify(failure).includes('    at '), false, failure.msg)
  const loads = log.of('Failed to load a document')
  t.ok(loads.length > 0)
  t.match(loads[0], { level: error, room: 'room-0', cause: String })
  const kinds = new Set(loads.map(({ code, cause }) => code ?? cause))
  const seconds = (Number(loads.at(-1)?.['time']) - Number(loads[0]?.['time'])) / 1000
  t.ok(loads.length <= kinds.size * (1 + seconds / 10), `${loads.length} lines for 30 failures`)
})
