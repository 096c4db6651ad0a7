/** docs/nginx.md: both configurations, with Debian's nginx, a real Django and stock y-websocket clients. */
import { get } from 'node:http'
import t from 'tap'
import { secret, startSite } from './site.ts'

/** A GET with exactly this path; fetch would normalise it. */
async function getAsIs (
  origin: string,
  path: string,
  headers: Record<string, string>
): Promise<{ status: number | undefined, everything: string }> {
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    get({ hostname, port, path, headers }, (response) => {
      let everything = response.rawHeaders.join('\n')
      response.setEncoding('utf8').on('data', (text: string) => { everything += text })
      response.on('end', () => resolve({ status: response.statusCode, everything }))
    }).on('error', reject)
  })
}

/** The answer to a client without access: through auth_request it is a ticket that nginx knows to be refused. */
const refusal = { 'auth-request': 4401, cookies: 4403 }

for (const style of ['auth-request', 'cookies'] as const) {
  await t.test(style, async (t) => {
    const site = await startSite(t, style)
    const [alice, bob, carol, nobody] = [await site.browser('alice'), await site.browser('bob'), await site.browser('carol'), await site.browser()]
    const room = await alice.createDocument('Plan')
    const hers = alice.open(room)
    await hers.synced()

    await t.test('Two people edit one text', async (t) => {
      await alice.share(room, 'bob', 'edit')
      const his = bob.open(room)
      await his.synced()
      hers.write('from alice, ')
      await his.until((text) => text.includes('alice'))
      his.write('from bob')
      await hers.until((text) => text.includes('bob'))
      t.equal(hers.text, his.text)
      t.same([...hers.closeCodes, ...his.closeCodes], [])
      his.destroy()
    })

    await t.test('A read-only user changes nothing', async (t) => {
      await alice.share(room, 'bob', 'read')
      const his = bob.open(room)
      await his.synced()
      t.match(his.text, 'from bob')
      his.write('not allowed')
      hers.write('; allowed')
      await his.until((text) => text.includes('; allowed'))
      t.notMatch(hers.text, 'not allowed')
      const late = alice.open(room)
      await late.synced()
      t.notMatch(late.text, 'not allowed')
      late.destroy()
      his.destroy()
    })

    await t.test('Headers forged by a browser have no effect', async (t) => {
      const his = bob.open(room, { headers: { 'X-Can-Edit': 'True', 'X-User-Id': '1', 'X-Session-Key': 'made-up' } })
      await his.synced()
      his.write('not allowed')
      hers.write('; again')
      await his.until((text) => text.includes('; again'))
      t.notMatch(hers.text, 'not allowed')
      his.destroy()

      const forged = carol.open(room, { headers: { Authorization: 'a-guess', 'X-Can-Edit': 'True' } })
      t.equal(await forged.stopped(), refusal[style])
    })

    await t.test('A user without access is told so permanently', async (t) => {
      const editors = { uninvited: carol.open(room), unknown: carol.open('c0ffee00-0000-4000-8000-000000000000'), other: carol.open(room.toUpperCase()) }
      for (const [who, editor] of Object.entries(editors)) {
        t.equal(await editor.stopped(), refusal[style], who)
        t.notOk(editor.provider.shouldConnect, 'the client does not retry')
        t.equal(editor.text, '')
      }
    })

    await t.test('A visitor who is not signed in is refused too', async (t) => {
      const editor = nobody.open(room)
      if (style === 'auth-request') t.equal(await editor.stopped(), refusal[style])
      else t.equal(await editor.handshakeRefused(), 403, 'without a cookie there is no user to ask about')
      t.equal(editor.text, '')
      editor.destroy()
    })

    await t.test('Pages of other sites are refused', async (t) => {
      const editor = alice.open(room, { origin: 'http://elsewhere.example' })
      t.equal(await editor.handshakeRefused(), 403)
      editor.destroy()
    })

    await t.test('Revoking a share ends the connection, and the next one is refused', async (t) => {
      await alice.share(room, 'bob', 'edit')
      const his = bob.open(room)
      await his.synced()
      const before = hers.closeCodes.length
      await alice.share(room, 'bob', 'none')
      await his.closedWith(4205)
      t.equal(await his.stopped(), refusal[style])
      t.equal(hers.closeCodes.length, before, 'alice stayed connected')
      hers.write('; after')
      t.ok(hers.provider.wsconnected)
    })

    await t.test('A ticket opens its room, and appears in no log', async (t) => {
      // With auth_request nginx asks Django itself, and the cookie is enough.
      if (style === 'auth-request') return
      const { ticket } = await (await alice.fetch(`/api/v1.0/documents/${room}/ticket/`)).json() as { ticket: string }
      const editor = nobody.open(room, { params: { token: ticket } })
      await editor.synced()
      editor.write('; by ticket')
      await hers.until((text) => text.includes('; by ticket'))
      editor.destroy()
      const refused = nobody.open(await alice.createDocument('Another'), { params: { token: ticket } })
      t.equal(await refused.stopped(), 4401, 'no other room')
      for (const log of [site.provider.log, site.nginx.accessLog, site.nginx.log]) t.notMatch(log, ticket)
    })

    await t.test('The secret and the internal routes are not reachable from browsers', async (t) => {
      const original = { 'X-Original-URL': `/collaboration/ws/${room}` }
      const paths = [
        '/collaboration-auth',
        '/collaboration-auth/',
        '/api/v1.0/documents/collaboration-auth/',
        '/api/v1.0/documents/collaboration-auth',
        '/api/v1.0/documents/collaboration%2Dauth/',
        '//api/v1.0/documents//collaboration-auth/',
        '/api/v1.0/documents/x/../collaboration-auth/',
        '/api/v1.0/documents/x/%2e%2e/collaboration-auth/',
        '/api/v1.0/documents/collaboration-auth/?x=1',
        '/collaboration/ws/../../api/v1.0/documents/collaboration-auth/',
        '/collaboration/api/get-connections/?room=a&sessionKey=b',
        '/collaboration/../collaboration/api/reset-connections/',
        '/api/v1.0/users/me/',
        '/',
      ]
      for (const path of paths) {
        const { status, everything } = await getAsIs(site.origin, path, { ...original, cookie: alice.cookie })
        t.notMatch(everything, secret, path)
        if (['/', '/api/v1.0/users/me/'].includes(path)) t.equal(status, 200, path)
        else t.not(status, 200, path)
      }
      for (const { handshakes } of [hers, carol.open(room)]) t.notMatch(handshakes.join(), secret)
      const { provider, django, nginx } = site
      for (const log of [provider.log, django.log, nginx.log, nginx.accessLog]) t.notMatch(log, secret)
    })

    await t.test('While Django is down clients are told to retry, and reconnect later', async (t) => {
      const port = Number(new URL(site.djangoUrl).port)
      await site.django.stop()
      const editor = alice.open(room)
      if (style === 'cookies') await editor.closedWith(4503)
      else t.equal(await editor.handshakeRefused(), 500)
      t.ok(editor.provider.shouldConnect, 'the client keeps retrying')
      t.ok(hers.provider.wsconnected, 'a connected client stays connected')
      await site.django.restart(port)
      await editor.synced()
      t.equal(editor.text, hers.text)
    })
  })
}
