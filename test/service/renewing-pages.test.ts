/** The code in the docs for pages that renew their tickets. */
import { readFileSync } from 'node:fs'
import { HocuspocusProvider as Provider4, HocuspocusProviderWebsocket as Socket4 } from '@hocuspocus/provider'
import { HocuspocusProvider as Provider3, HocuspocusProviderWebsocket as Socket3 } from 'hocuspocus-provider3'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import { when } from '../clients/changes.ts'
import { connect as connectEditor } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { connectYWebsocket, type YWebsocket } from '../clients/y-websocket-client.ts'
import { rootUrl } from '../root.ts'

type KeepAccess = (
  provider: WebsocketProvider,
  fetchTicket: () => Promise<string>,
  onAccess: (canEdit: boolean) => void
) => { renew (): Promise<void>, stop (): void }

const text = (path: string): string => readFileSync(new URL(path, rootUrl), 'utf8')
const page = new URL('examples/y-websocket/keep-access.js', rootUrl).href
const { keepAccess } = await import(page) as { keepAccess: KeepAccess } // plain JavaScript, for pages

t.test('The docs show the files of the examples', async (t) => {
  t.ok(text('docs/django.md').includes(text('examples/y-websocket/keep-access.js')))
  t.ok(text('docs/durability.md').includes(text('examples/y-websocket/stored.js')))
})

/** A page with y-websocket whose tickets last so many seconds and grant what `claims` returns at the time. */
async function openPage (t: Test, version: YWebsocket, lifetimes: number[]) {
  const { wsUrl } = await listen(t, { RECHECK_INTERVAL_MS: '0' })
  const claims: { can_edit: boolean } = { can_edit: false }
  const fetched: number[] = []
  const fetchTicket = async (): Promise<string> => {
    fetched.push(Date.now())
    return await mint('r', { ...claims, user_id: 'u', exp: Date.now() / 1000 + (lifetimes.shift() ?? 600) })
  }
  const client = connectYWebsocket(t, wsUrl, 'r', { version, headers: {}, params: { token: await fetchTicket() } })
  const said: boolean[] = []
  const { renew, stop } = keepAccess(client.provider, fetchTicket, (canEdit) => { said.push(canEdit) })
  t.teardown(stop)
  await when([client], () => client.provider.synced)
  return { client, claims, fetched, said, renew }
}

for (const version of ['y-websocket 2', 'y-websocket 3'] as const) {
  t.test(`${version}: keep-access.js renews the ticket, and reports the page's access`, async (t) => {
    const { client, claims, said, renew } = await openPage(t, version, [])
    for (const canEdit of [true, false]) {
      claims.can_edit = canEdit
      await renew()
      await eventually(() => said.at(-1) === canEdit)
    }
    t.same([said, client.closes], [[true, false], []])
  })
}

t.test('y-websocket 3: keep-access.js replaces an expired ticket at once, and a refused one only later', async (t) => {
  const { client, fetched, renew } = await openPage(t, 'y-websocket 3', [5, -1])
  await when([client], () => client.closes.length === 2)
  t.same([client.closes, fetched.length], [[4401, 4401], 2])
  await renew()
  await when([client], () => client.provider.synced)
  t.equal(fetched.length, 3)
})

for (const [version, Provider, Socket] of [['Hocuspocus 3', Provider3, Socket3], ['Hocuspocus 4', Provider4, Socket4]] as const) {
  t.test(`${version}: sendToken as in the docs changes the access, and opens a document whose ticket has expired`, async (t) => {
    const { wsUrl } = await listen(t, { RECHECK_INTERVAL_MS: '0' })
    const other = connectEditor(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    let claims: object = {}
    const websocketProvider = new Socket({ url: `${wsUrl}/collaboration/ws/`, WebSocketPolyfill: WebSocket })
    const document = new Y.Doc()
    const options = { name: 'r', document, token: async () => await mint('r', { user_id: 'u', ...claims }) }
    // Each with the class of its own socket, which the union of both does not express.
    const provider = new Provider({ ...options, websocketProvider: websocketProvider as never })
    provider.attach()
    t.teardown(() => {
      provider.destroy()
      websocketProvider.destroy()
    })
    const scopes: string[] = []
    let access: string | undefined
    provider.on('authenticationFailed', () => { access = 'none' })
    provider.on('authenticated', ({ scope }: { scope: string }) => {
      scopes.push(scope)
      if (access && access !== scope) provider.forceSync()
      access = scope
    })
    await eventually(() => provider.synced)
    document.getText('t').insert(0, 'typed too early, ')
    await eventually(() => provider.unsyncedChanges > 0)

    claims = { can_edit: true }
    await provider.sendToken()
    await eventually(() => provider.unsyncedChanges === 0)
    await other.until(() => other.text.length > 0)

    claims = { can_edit: true, exp: 1 }
    await provider.sendToken()
    await eventually(() => access === 'none')
    other.text.insert(0, 'meanwhile, ')
    claims = { can_edit: true }
    await provider.sendToken()
    await eventually(() => document.getText('t').toString().startsWith('meanwhile'))
    document.getText('t').insert(0, 'and on, ')
    await other.until(() => other.text.toString().startsWith('and on'))
    t.same(scopes, ['readonly', 'read-write', 'read-write'])
  })
}
