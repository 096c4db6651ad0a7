import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import * as Y from 'yjs'
import { cli } from '../cli/run-cli.ts'
import { folder } from '../cli/filled-store.ts'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'
import { asDjango, listen } from '../helper.ts'
import { startPostgres } from '../store/postgres-server.ts'

/** Written in every part of a document, and nowhere else. */
const marker = 'MarkerOfADeletedDocument'
const author = 'AuthorOfADeletedDocument'

/** Puts the marker into a document's snapshot, its log, an update set aside, and the memory of its room. */
async function mark (app: FastifyInstance, port: number, room: string): Promise<void> {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let at = 0; at < 4; at++) doc.getText('t').insert(0, `${marker} ${at} `)
  const seqs = await app.store.append(updates.map((update) => ({ document: room, update, authors: [author] })))
  const aside = { update: new TextEncoder().encode(marker), reason: 'a test' }
  const head = await app.store.compact(room, {
    replaces: 0,
    upTo: seqs[1] ?? 0,
    pieces: updates.slice(0, 2),
    known: Uint8Array.of(1, 0, 0, 0),
    setAside: [aside],
  })
  if (head === undefined) throw new Error('There is no snapshot')
  const client = new AcknowledgedClient(port, room, { headers: { ...asDjango, 'x-user-id': author } })
  await client.synced
  const stored = new Promise<void>((resolve) => { client.onAcknowledged = () => resolve() })
  client.doc.getText('t').insert(0, `${marker} live `)
  await stored
}

async function remove (app: FastifyInstance, room: string): Promise<number> {
  const url = `/collaboration/api/documents/${room}/`
  return (await app.inject({ method: 'DELETE', url, headers: asDjango })).statusCode
}

/** How often one of the words is in the files of a folder. */
async function count (path: string, ...words: string[]): Promise<number> {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  let found = 0
  for (const { parentPath, name } of files) {
    const content = await readFile(join(parentPath, name), 'latin1')
    for (const word of words) found += content.split(word).length - 1
  }
  return found
}

await t.test('A backup of the embedded store has nothing of a deleted document', async (t) => {
  const path = await folder(t)
  const { app, port } = await listen(t, { DATA_DIR: path })
  await mark(app, port, 'deleted')
  const copies = await folder(t)
  const backup = async (name: string): Promise<string> => {
    const copy = join(copies, name)
    await cli(['backup', copy, '--store', path])
    return copy
  }
  const before = await backup('before')
  t.ok(await count(before, marker) >= 6, 'every part had it')
  t.ok(await count(before, author) > 0)
  t.equal(await remove(app, 'deleted'), 204)
  t.equal(await count(await backup('after'), marker, author), 0)
})

await t.test('PostgreSQL has nothing of it after VACUUM FULL', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const { app, port } = await listen(t, { DATABASE_URL: await server.makeSchema('y_provider') })
  await mark(app, port, 'deleted')
  const written = async (sql: string): Promise<number> => {
    await server.asAdmin(async (client) => {
      await client.query(sql)
      // The files of a table that was rewritten are removed at a checkpoint.
      await client.query('CHECKPOINT')
    })
    return await count(join(server.socket, 'base'), marker, author)
  }
  t.ok(await written('CHECKPOINT') >= 6, 'every part had it')
  t.equal(await remove(app, 'deleted'), 204)
  t.equal(await written('VACUUM FULL'), 0)
})
