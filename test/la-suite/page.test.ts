/** La Suite 5.7 as its users see it: the page's provider and rules, and the questions of y-provider to Django. */
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { listen } from '../helper.ts'
import { apiKey, documentedSettings, secret, startLaSuite } from './la-suite.ts'
import type { LaSuite, Rights } from './la-suite.ts'
import { openPage } from './page.ts'
import type { Page } from './page.ts'

const origin = 'https://docs.example.org'
/** A session of a user, which Django knows from its beginning. */
const session = (user: string) => `csrftoken=0123; docs_sessionid=${user}-1`

interface Site {
  readonly suite: LaSuite
  readonly url: string
  /** Opens a document as a user; '' is a visitor who is not signed in, but has a session. */
  open (
    t: Test,
    document: string,
    user: string,
    more?: { readonly cookie?: string, readonly content?: Uint8Array }
  ): Page
}

/** La Suite and y-provider with the documented settings. */
async function startSite (t: Test, changed: Readonly<Record<string, string>> = {}): Promise<Site> {
  const suite = await startLaSuite(t)
  const { url, wsUrl } = await listen(t, {
    ...documentedSettings('3.4 to 5.7', { COLLABORATION_SERVER_SECRET: secret, Y_PROVIDER_API_KEY: apiKey, COLLABORATION_BACKEND_BASE_URL: suite.url, DATA_DIR: t.testdir() }),
    ...changed,
  })
  return {
    suite,
    url,
    open: (t, document, user, more = {}) => openPage(t, { wsUrl: `${wsUrl}/collaboration/ws/`, document, origin, cookie: user === '' ? 'csrftoken=0123' : session(user), ...more }),
  }
}

async function makeDocument ({ suite }: Site, rights: Rights): Promise<string> {
  const id = crypto.randomUUID()
  await suite.allow(id, rights)
  return id
}

/** The message to the page, which shows no reason to its user. */
const mayNotRead = 'You may not read this document.'

/** A document with this text, as Django stores it. */
function contentOf (text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

const synced = (page: Page) => page.isSynced && page.isConnected

t.test('With the documented settings', async (t) => {
  const site = await startSite(t)
  const { suite, url } = site

  await t.test('An editor and a reader', async (t) => {
    const id = await makeDocument(site, { alice: 'edit', bob: 'read' })
    const alice = site.open(t, id, 'alice')
    await alice.until(synced)
    const bob = site.open(t, id, 'bob')
    await bob.until(synced)
    t.equal(alice.provider.authorizedScope, 'read-write')
    t.equal(bob.provider.authorizedScope, 'readonly')
    bob.write('not allowed')
    alice.write('from alice')
    await bob.until(({ text }) => text.includes('from alice'))
    await alice.until(({ provider }) => !provider.hasUnsyncedChanges)
    const late = site.open(t, id, 'alice')
    await late.until(synced)
    t.equal(late.text, 'from alice', 'what a reader writes stays in the reader\'s page')

    await t.test('Django was asked with the users\' cookies, and with the key that is exempt from its throttling', async (t) => {
      const ofBoth = ['alice', 'bob'].map((user) => ({
        host: new URL(suite.url).host,
        connection: 'keep-alive',
        accept: 'application/json',
        'user-agent': 'y-provider',
        cookie: session(user),
        origin,
        'x-y-provider-key': apiKey,
      }))
      const aboutDocument = await suite.asked(id)
      t.strictSame(aboutDocument.slice(0, 2), ofBoth.map((headers) => ({ path: `/api/v1.0/documents/${id}/?without_content=true`, headers })))
      const aboutUsers = await suite.asked('/api/v1.0/users/me/')
      t.strictSame(aboutUsers.slice(0, 2), ofBoth.map((headers) => ({ path: '/api/v1.0/users/me/', headers })))
    })

    await t.test('Django counts the connections that can edit, and finds a session among them', async (t) => {
      const count = async (sessionKey: string) => {
        const { status, headers, body } = await suite.play('get_connections', url, { room: id, session_key: sessionKey })
        return { status, type: headers['content-type'], body: body.toString() }
      }
      const type = 'application/json; charset=utf-8'
      t.same(await count('alice-1'), { status: 200, type, body: '{"count":2,"exists":true}' })
      t.same(await count('bob-1'), { status: 200, type, body: '{"count":2,"exists":false}' }, 'a reader is not counted')
    })

    await t.test('After a reset of one user the page reconnects with the new access, and other users stay connected', async (t) => {
      await suite.allow(id, { alice: 'edit', bob: 'edit' })
      const { status, body } = await suite.play('reset_connections', url, { room: id, user_id: 'bob' })
      t.same({ status, body: body.toString() }, { status: 200, body: '{"message":"Connections reset"}' })
      await bob.until(({ closes }) => closes.length > 0)
      await bob.until(synced)
      await bob.until(({ provider }) => provider.authorizedScope === 'read-write')
      await alice.until(({ text }) => text.includes('not allowed'))
      t.same(alice.closes, [])
    })

    await t.test('After a revocation the page is told, and still shows its content', async (t) => {
      await suite.allow(id, { alice: 'edit' })
      await suite.play('reset_connections', url, { room: id, user_id: 'bob' })
      await bob.until(({ denied }) => denied.length > 0)
      t.same(bob.denied, [mayNotRead])
      t.match(bob, { isReady: true, isConnected: false })
      const before = alice.text
      bob.write('after the end')
      alice.write('; again')
      await late.until(({ text }) => text.includes('; again'))
      t.equal(alice.text, `${before}; again`)
    })
  })

  await t.test('The content in Django arrives with the first page, once', async (t) => {
    const id = await makeDocument(site, { alice: 'edit', bob: 'edit' })
    const content = contentOf('from the storage')
    const alice = site.open(t, id, 'alice', { content })
    await alice.until(synced)
    await alice.until(({ provider }) => !provider.hasUnsyncedChanges)
    const bob = site.open(t, id, 'bob', { content })
    await bob.until(synced)
    t.equal(bob.text, 'from the storage')
    const bare = site.open(t, id, 'alice')
    await bare.until(synced)
    t.equal(bare.text, 'from the storage', 'and y-provider keeps it')
    const replaced = site.open(t, id, 'alice', { content: contentOf('a new document') })
    await replaced.until(synced)
    t.match(replaced.text, /from the storage/, 'replacing it in the storage alone does not replace it here')
    t.match(replaced.text, /a new document/)
  })

  await t.test('A user without access is told, and the page stays unchanged', async (t) => {
    const id = await makeDocument(site, { alice: 'edit' })
    for (const [user, document] of [['carol', id], ['', id], ['alice', crypto.randomUUID()]] as const) {
      const page = site.open(t, document, user)
      await page.until(({ denied }) => denied.length > 0)
      t.same(page.denied, [mayNotRead], user)
      t.match(page, { isReady: true, isConnected: false, isSynced: false, text: '', closes: [] })
    }
  })

  await t.test('A name that is not a UUID of version 4 is refused without asking Django', async (t) => {
    const name = '2b8f9c1e-7d3a-1f5b-9c8d-0a1b2c3d4e5f'
    const page = site.open(t, name, 'alice')
    await page.until(({ denied }) => denied.length > 0)
    t.match(page, { isReady: true, isConnected: false, text: '', closes: [] })
    t.same(await suite.asked(name), [])
  })

  await t.test('A public document can be opened without any cookie', async (t) => {
    const id = await makeDocument(site, { '': 'read', alice: 'edit' })
    const alice = site.open(t, id, 'alice')
    await alice.until(synced)
    alice.write('for all')
    for (const cookie of ['csrftoken=0123', '']) {
      const visitor = site.open(t, id, '', { cookie })
      await visitor.until(({ text }) => text === 'for all')
      t.equal(visitor.provider.authorizedScope, 'readonly')
    }
    t.equal((await suite.asked(id)).at(-1)?.headers['cookie'], undefined)
  })
})

t.test('When y-provider stops, the page is told to reconnect', async (t) => {
  const suite = await startLaSuite(t)
  const { app, wsUrl } = await listen(t, documentedSettings('3.4 to 5.7', { COLLABORATION_SERVER_SECRET: secret, Y_PROVIDER_API_KEY: apiKey, COLLABORATION_BACKEND_BASE_URL: suite.url, DATA_DIR: t.testdir() }))
  const id = crypto.randomUUID()
  await suite.allow(id, { alice: 'edit' })
  const page = openPage(t, { wsUrl: `${wsUrl}/collaboration/ws/`, document: id, origin, cookie: session('alice') })
  await page.until(synced)
  await app.close()
  await page.until(({ closes }) => closes.length > 0)
  t.equal(page.closes[0]?.code, 1012)
  t.notOk(page.hasStopped)
})

t.test('With BACKEND_ASK_ANONYMOUS=false, as La Suite does', async (t) => {
  const site = await startSite(t, { BACKEND_ASK_ANONYMOUS: 'false' })
  const id = await makeDocument(site, { '': 'read' })
  const page = site.open(t, id, '', { cookie: '' })
  await page.until(({ hasStopped }) => hasStopped)
  t.same(page.closes, [{ code: 4001, reason: 'No cookies' }], 'the page stops')
  t.match(page, { isReady: true, isConnected: false, text: '' })
  t.same(await site.suite.asked(id), [])
})
