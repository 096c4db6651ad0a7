import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { createOriginCheck, isAllowableOrigin, normaliseOrigin } from '../../src/access/allowed-origins.ts'
import { asDjango, listen } from '../helper.ts'

/** Look-alikes of `https://*.example.org` and `http://*.example.com:8080`. */
const lookAlikes = [
  'https://example.org', 'https://a.b.example.org', 'https://evilexample.org', 'https://a.example.org.evil.com', 'https://a.example.org:8443', 'http://a.example.org',
  'https://.example.org', 'https://a.example.organic', 'https://a.example.com:8080', 'http://a.example.com', 'https://a@b.example.org', 'https://evil.com/a.example.org',
  'https://evil.com#.example.org', 'https://*.example.org', '*', 'null', '', 'https://a.example.org/', 'https://a.example.org\n', 'wss://a.example.org',
]
const accepted = ['https://a.example.org', 'https://xn--bcher-kva.example.org', 'https://a_b-1.example.org', 'http://a.example.com:8080', 'https://docs.example.net']
const setting = 'https://*.Example.org:443/, http://*.example.com:8080,https://docs.example.net'

t.test('A wildcard stands for one whole label', async (t) => {
  const isAllowed = createOriginCheck(setting.split(',').map((text) => normaliseOrigin(text.trim())))
  for (const origin of accepted) t.ok(isAllowed(origin), origin)
  for (const origin of lookAlikes) t.notOk(isAllowed(origin), origin)
})

t.test('* allows every origin', async (t) => {
  for (const origin of ['https://a.example', 'null']) t.ok(createOriginCheck(['*'])(origin))
})

t.test('An origin is compared in the form that browsers send; anything beyond an origin is kept and rejected', async (t) => {
  for (const [given, wanted] of [
    ['HTTPS://Docs.Example.org/', 'https://docs.example.org'], ['http://localhost:80', 'http://localhost'], ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://[::1]:8443/', 'https://[::1]:8443'], ['https://*.Example.org:443', 'https://*.example.org'], ['http://*.localhost:3000', 'http://*.localhost:3000'],
  ] as const) {
    t.equal(normaliseOrigin(given), wanted)
    t.ok(isAllowableOrigin(wanted), wanted)
  }
  for (const text of ['https://a.example/b', 'https://a.example/?b', 'https://a.example/#b', 'https://b@a.example', 'https://:b@a.example', 'https://*.org', 'https://*']) {
    t.notOk(isAllowableOrigin(normaliseOrigin(text)), text)
  }
})

t.test('HTTP and the WebSocket handshake apply the same rules', async (t) => {
  const { url, wsUrl } = await listen(t, { COLLABORATION_SERVER_ORIGIN: setting })
  const open = async (origin: string): Promise<boolean> => {
    const socket = new WebSocket(`${wsUrl}/collaboration/ws/a`, { headers: { ...asDjango, origin } })
    socket.on('error', () => undefined) // the refused handshake, which is expected
    const opened = await Promise.race([once(socket, 'open').then(() => true), once(socket, 'unexpected-response').then(() => false)])
    socket.terminate()
    return opened
  }
  for (const origin of accepted) {
    t.equal((await fetch(`${url}/ping`, { headers: { origin } })).headers.get('access-control-allow-origin'), origin)
    t.ok(await open(origin), origin)
  }
  for (const origin of lookAlikes.filter((text) => !text.includes('\n'))) {
    t.equal((await fetch(`${url}/ping`, { headers: { origin } })).status, 403, origin)
    t.notOk(await open(origin), origin)
  }
})
