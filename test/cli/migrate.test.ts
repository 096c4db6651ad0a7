import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import * as Y from 'yjs'
import { readDocument, updatesOf } from '../../src/cli/read-document.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { programArguments } from '../program.ts'
import { cli } from './run-cli.ts'

const documents = 300

const server = await startPostgres()
t.teardown(() => server.stop())
const folder = await mkdtemp(join(tmpdir(), 'y-migrate-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))

const typed = (text: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

async function read (store: Store, document: string): Promise<string | undefined> {
  const whole = await readDocument(store, document)
  if (whole === undefined) return undefined
  const doc = new Y.Doc()
  for (const update of updatesOf(whole)) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

async function names (store: Store): Promise<string[]> {
  const found: string[] = []
  for await (const { document } of store.list()) found.push(document)
  return found
}

await t.test('After the first run was killed halfway, a second run copies the rest', async (t) => {
  const url = await server.makeSchema('y_provider')
  const [source, target] = [await openLmdbStore({ path: folder, sync: 'process', logger: quiet }), await openPostgresStore({ url, logger: quiet })]
  t.teardown(() => Promise.all([source.close(), target.close()]))
  const text = (nr: number): string => `${nr} `.repeat(2000)
  await source.append(Array.from({ length: documents }, (_, nr) => {
    return { document: `document ${nr}`, update: typed(text(nr)), authors: ['ada', `person ${nr}`] }
  }))

  const running = spawn(process.execPath, [...programArguments('cli'), 'migrate', '--from', folder, '--to', url], { stdio: 'ignore', env: { PATH: process.env['PATH'] } })
  const ended = once(running, 'exit')
  while ((await names(target)).length < 20) {
    if (running.exitCode !== null) return t.fail('it ended too early')
  }
  running.kill('SIGKILL')
  await ended
  const before = (await names(target)).length
  t.ok(before < documents, `${before} of ${documents} were copied`)

  const again = await cli(['migrate', '--from', folder, '--to', url])
  t.equal(again.code, 0)
  const [, copied = 0, completed = 0, same = 0] = (/^(\d+) documents? copied, (\d+) completed, (\d+) unchanged, 0 could not/m.exec(again.out) ?? []).map(Number)
  t.equal(copied + completed + same, documents)
  t.ok(same >= before - 1, 'documents that were already copied were not copied again')
  t.same(new Set(await target.authors('document 7', 0)), new Set(['ada', 'person 7']), 'who has written is known there too')
  for (let nr = 0; nr < documents; nr++) if (await read(target, `document ${nr}`) !== text(nr)) return t.fail(`document ${nr} differs`)
})
