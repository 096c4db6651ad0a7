/**
 * La Suite 1.9 to 2.6: nginx asks Django about each WebSocket (`auth_request`); the page has a Hocuspocus provider 2.
 */
import t, { type Test } from 'tap'
import { listen } from '../helper.ts'
import { NginxProcess } from '../nginx/nginx-process.ts'
import { freePort } from '../free-port.ts'
import { apiKey, documentedSettings, secret, startLaSuite } from './la-suite.ts'
import type { Client } from '../clients/client.ts'
import { connect } from '../clients/connect.ts'
import { rootUrl } from '../root.ts'

const suite = await startLaSuite(t)
const nginx = new NginxProcess()
t.teardown(() => nginx.remove())
const address = `127.0.0.1:${await freePort()}`
const origin = `http://${address}`
const { url } = await listen(t, documentedSettings('1.9 to 2.6', {
  COLLABORATION_SERVER_SECRET: secret,
  Y_PROVIDER_API_KEY: apiKey,
  COLLABORATION_SERVER_ORIGIN: origin,
  DATA_DIR: t.testdir(),
}))
await nginx.start(new URL('test/la-suite/auth-request.conf.template', rootUrl), {
  DJANGO_ADDRESS: new URL(suite.url).host,
  Y_PROVIDER_ADDRESS: new URL(url).host,
  NGINX_LISTEN: address,
  NGINX_SERVER_NAME: '127.0.0.1',
})

/** Opens a document through nginx; '' is a visitor who is not signed in. */
function open (t: Test, room: string, user: string, headers: Record<string, string> = {}): Client {
  const cookie: Record<string, string> = user === '' ? {} : { cookie: `docs_sessionid=${user}-1` }
  return connect(t, { kind: 'Hocuspocus 2', wsUrl: `ws://${address}`, room, headers: { origin, ...cookie, ...headers } })
}

t.test('An editor and a reader', async (t) => {
  const id = crypto.randomUUID()
  await suite.allow(id, { alice: 'edit', bob: 'read' })
  const alice = open(t, id, 'alice')
  await alice.synced()
  // Headers forged by a browser are replaced.
  const bob = open(t, id, 'bob', { 'x-can-edit': 'True', 'x-user-id': 'alice' })
  await bob.synced()
  t.same([alice.record.scopes, bob.record.scopes], [['read-write'], ['readonly']])
  bob.text.insert(0, 'not allowed')
  alice.text.insert(0, 'from alice')
  await bob.until(() => bob.text.toString().includes('from alice'))
  t.equal(alice.text.toString(), 'from alice')

  const asked = await suite.asked(id)
  t.same(asked.map(({ path }) => path), ['/api/v1.0/documents/collaboration-auth/', '/api/v1.0/documents/collaboration-auth/'], 'nginx asked, y-provider did not')
  t.match(asked[0]?.headers, { cookie: 'docs_sessionid=alice-1', origin, 'x-original-url': `/collaboration/ws/?room=${id}`, 'x-original-method': 'GET' })

  await t.test('A revocation through nginx ends access', async (t) => {
    await suite.allow(id, { alice: 'edit' })
    const { sent, status, headers, body } = await suite.play('reset_connections', origin, { room: id, user_id: 'bob' })
    t.match(sent, { authorization: secret, 'x-user-id': 'bob' })
    t.same({ status, body: body.toString() }, { status: 200, body: '{"message":"Connections reset"}' })
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    await bob.until(() => bob.record.statuses.length > 0)
    t.same(bob.record.closes, [{ code: 4205, reason: 'Reset Connection' }])
    t.equal(bob.record.statuses[0], 403, 'nginx refuses the next connection')
    t.same(alice.record.closes, [], 'no other client is affected')
  })
})

t.test('Nginx refuses users without access', async (t) => {
  const id = crypto.randomUUID()
  await suite.allow(id, { alice: 'edit' })
  for (const user of ['carol', '']) {
    const refused = open(t, id, user, { authorization: secret })
    await refused.until(() => refused.record.statuses.length > 0)
    t.equal(refused.record.statuses[0], 403, user)
    t.ok(refused.wantsToConnect(), 'the provider retries')
    refused.destroy()
  }
})

t.test('A public document for visitors who are not signed in', async (t) => {
  const id = crypto.randomUUID()
  await suite.allow(id, { '': 'edit' })
  const [one, other] = [open(t, id, ''), open(t, id, '')]
  await one.synced()
  await other.synced()
  one.text.insert(0, 'from a visitor')
  await other.until(() => other.text.toString() === 'from a visitor')
  t.same(one.record.scopes, ['read-write'])
})

t.test('The other calls through nginx, with a wrong secret and without a room', async (t) => {
  const answer = async (args: Record<string, string>) => {
    const { status, headers, body } = await suite.play('reset_connections', origin, args)
    return { status, type: headers['content-type'], body: body.toString() }
  }
  const type = 'application/json; charset=utf-8'
  t.same(await answer({ room: 'any', secret: 'wrong' }), { status: 403, type, body: '{"error":"Forbidden: Invalid API Key"}' })
  t.same(await answer({ room: '' }), { status: 400, type, body: '{"error":"Room name not provided"}' })
  const made = await suite.play('convert_markdown', url, { content: '# Plan' })
  t.equal(made.status, 200)
  t.same(Object.keys(JSON.parse(made.body.toString()) as object), ['content'])
})

t.end()
