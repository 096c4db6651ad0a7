/** list, show and the JSON output of the commands that print data, on both stores, while a service runs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { cli } from './run-cli.ts'

const stores: Readonly<Record<string, (t: Test) => Promise<{ store: Store, at: string }>>> = {
  async lmdb (t) {
    const at = await mkdtemp(join(tmpdir(), 'y-cli-'))
    t.teardown(() => rm(at, { recursive: true, force: true }))
    const store = await openLmdbStore({ path: at, sync: 'process', logger: quiet })
    t.teardown(() => store.close())
    return { store, at }
  },
  async postgres (t) {
    const server = await startPostgres()
    t.teardown(() => server.stop())
    const at = await server.makeSchema('y_provider')
    const store = await openPostgresStore({ url: at, logger: quiet })
    t.teardown(() => store.close())
    return { store, at }
  },
}

/** A document with a root of each type, made by two clients. */
function allRoots (): Uint8Array[] {
  const [one, other] = [new Y.Doc(), new Y.Doc()]
  one.getText('text').insert(0, 'words')
  one.getMap('map').set('key', 1)
  one.getArray('array').push([1])
  other.getXmlFragment('xml').insert(0, [new Y.XmlElement('p')])
  other.getText('deleted').insert(0, 'gone')
  other.getText('deleted').delete(0, 4)
  return [one, other].map((doc) => Y.encodeStateAsUpdate(doc))
}

/** Yjs throws when it applies this update: a struct that refers to itself. */
const poison = new Uint8Array(Buffer.from('0101ffffffff0f0084ffffffff0f00017800', 'hex'))

for (const [name, open] of Object.entries(stores)) {
  await t.test(name, async (t) => {
    const { store, at } = await open(t)
    const updates = allRoots()
    const bytes = updates.reduce((sum, { length }) => sum + length, 0)
    await store.append(updates.map((update) => ({ document: 'roots', update })))
    await store.append([{ document: 'r\u009b31m\u202e', update: updates[0] ?? poison }])

    await t.test('list', async (t) => {
      const { code, out } = await cli(['list', '--store', at])
      t.equal(code, 0)
      t.match(out.split('\n'), [/bytes {2}last change +name$/, /^ +\d+ {2}20\S+Z {2}roots$/, /^ +\d+ {2}20\S+Z {2}r\\u\{9b\}31m\\u\{202e\}$/, ''], 'no control characters of a terminal')
      const lines = (await cli(['list', '--json', '--store', at])).out.trim().split('\n').map((line) => JSON.parse(line) as { name: string })
      t.strictSame(lines.map(({ name }) => name), ['roots', 'r\u009b31m\u202e'])
      t.match(lines[0], { bytes, snapshotBytes: 0, logBytes: bytes, logEntries: 2, sequence: 2, setAside: 0, createdAt: /^20\S+Z$/, updatedAt: /^20\S+Z$/ })
    })

    await t.test('show', async (t) => {
      const roots = [{ name: 'array', type: 'array' }, { name: 'deleted', type: 'empty' }, { name: 'map', type: 'map' }, { name: 'text', type: 'text' }, { name: 'xml', type: 'xml' }]
      const { code, out } = await cli(['show', 'roots', '--json', '--store', at])
      t.equal(code, 0)
      t.match(JSON.parse(out), { name: 'roots', bytes, logEntries: 2, clients: 2, roots, notApplicable: 0, updatedAt: /^20\S+Z$/ })
      t.match((await cli(['show', 'roots', '--store', at])).out, new RegExp(`^size         ${bytes} bytes: 0 in the snapshot, ${bytes} in the log\nlog          2 entries\nset aside    0 updates\nclients      2\n`, 'm'))
      t.match(await cli(['show', 'root', '--store', at]), { code: 1, out: '', err: 'There is no document "root"\n' })
    })

    await t.test('A document that Yjs cannot apply', async (t) => {
      await store.append([{ document: 'bad', update: poison }])
      t.match(await cli(['show', 'bad', '--store', at]), { code: 1, out: /^log {10}1 entry$/m, err: '1 update cannot be applied: run y-provider check\n' })
      const { code, out } = await cli(['check', '--json', '--store', at])
      t.equal(code, 1)
      t.match(JSON.parse(out), { documents: 3, faulty: [{ name: 'bad', faults: [/cannot apply entry 1 of its log/] }], setAside: [] })
    })
  })
}
