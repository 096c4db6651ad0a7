/**
 * The cost of durability: disk space after a million keystrokes, memory after many openings, log size after many
 * reconnects. Run: npx tsx bench/durability.ts [growth | cycles [count] | reconnects [count] | rollout [count]].
 * All use the engine and LMDB without a network, except `rollout`, which replaces a service under stock clients.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { open } from 'lmdb'
import * as Y from 'yjs'
import { openLmdbStore, type LmdbStore } from '../src/store/lmdb/lmdb-store.ts'
import { Rooms } from '../src/sync/rooms.ts'
import { DocumentThreads } from '../src/workers/document-threads.ts'
import { pageBytes } from '../src/store/lmdb/tree.ts'
import { limits } from '../test/sync/engine.ts'
import { paperPatches } from '../test/update/traces.ts'
import { rollout } from './durability/rollout.ts'
import { Visitor } from './durability/visitor.ts'

const quiet = { debug () {}, info () {}, warn: console.warn, error: console.error }
const documents = 4

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag above defines it

interface Bench { readonly folder: string, readonly store: LmdbStore, readonly rooms: Rooms }

async function withEngine (run: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'y-bench-'))
  const store = await openLmdbStore({ path: folder, sync: 'process', logger: quiet })
  const work = await DocumentThreads.open(1, quiet)
  const rooms = new Rooms({ store, work, limits, logger: quiet, now: () => performance.now() })
  try {
    await run({ folder, store, rooms })
  } finally {
    await rooms.close()
    await work.close()
    await store.close()
    await rm(folder, { recursive: true })
  }
}

/** Keystrokes after which the store is awaited: without a pause they would grow a log that no person could. */
const keystrokesAtOnce = 500

/** The real paper, once in each of several documents: one message per keystroke, all documents open at once. */
async function growth ({ folder, store, rooms }: Bench): Promise<void> {
  const { state, log } = paper()
  const writers = await Promise.all(Array.from({ length: documents }, (_, i) => Visitor.join(rooms, `paper ${i}`)))
  for (const [i, update] of log.entries()) {
    for (const writer of writers) writer.update(update)
    await new Promise(setImmediate)
    if (i % keystrokesAtOnce === 0) {
      await rooms.flushed()
      await rooms.compactionIdle()
      // LMDB reuses the space that a compaction frees two commits later; real keystrokes make hundreds of commits.
      for (let commit = 0; commit < 3; commit++) await store.ping()
    }
    if (i % 50_000 === 0) await report(`${i * documents} keystrokes`, folder, state.length * documents)
  }
  await rooms.flushed()
  await report('all stored, everybody there', folder, state.length * documents)
  for (const writer of writers) writer.leave()
  await rooms.compactionIdle()
  await report('everybody gone', folder, state.length * documents)
  for await (const { document, snapshotBytes, logBytes, logEntries } of store.list()) {
    console.log({ document, snapshotBytes, logBytes, logEntries })
  }
  const copy = join(folder, 'copy')
  await mkdir(copy)
  await store.copyTo(copy)
  await report('a backup of it', copy, state.length * documents)
}

function paper (): { state: Uint8Array, log: Uint8Array[] } {
  const doc = new Y.Doc()
  const log: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => { log.push(update) })
  const text = doc.getText('text')
  for (const [position, deleted, inserted] of paperPatches()) {
    if (deleted > 0) text.delete(position, deleted)
    if (inserted !== '') text.insert(position, inserted)
  }
  return { state: Y.encodeStateAsUpdate(doc), log }
}

async function report (moment: string, folder: string, encodedBytes: number): Promise<void> {
  const path = join(folder, 'documents.mdb')
  const { size } = await stat(path)
  const reader = open({ path, noSubdir: true, readOnly: true, encoding: 'binary', keyEncoding: 'binary', pageSize: pageBytes })
  // The fields of LMDB's own mdb_stat; the types of lmdb omit them.
  const { treeBranchPageCount, treeLeafPageCount, overflowPages } = reader.getStats() as Record<string, number>
  await reader.close()
  const used = ((treeBranchPageCount ?? 0) + (treeLeafPageCount ?? 0) + (overflowPages ?? 0)) * pageBytes
  console.log(`${moment.padEnd(28)} file ${kib(size)} = ${(size / encodedBytes).toFixed(2)} × the states, in use ${kib(used)} = ${(used / encodedBytes).toFixed(2)} × (states ${kib(encodedBytes)})`)
}

const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`

/** Several at once, so that they share transactions; each writes new content. */
async function cycles ({ rooms }: Bench, count: number): Promise<void> {
  const together = 50
  for (let cycle = 0; cycle <= count; cycle += together) {
    if (cycle % (count / 10) === 0) {
      await rooms.compactionIdle()
      collectGarbage()
      const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
      console.log(`${cycle} cycles: ${rooms.openRooms} rooms open, heap ${kib(heapUsed)}, array buffers ${kib(arrayBuffers)}, resident ${kib(rss)}`)
    }
    await Promise.all(Array.from({ length: together }, async (_, i) => {
      const typed = new Y.Doc()
      typed.getText('text').insert(0, 'a few words')
      const visitor = await Visitor.join(rooms, `document ${(cycle + i) % 500}`)
      visitor.update(Y.encodeStateAsUpdate(typed))
      visitor.leave()
    }))
    await rooms.flushed()
  }
}

async function reconnects ({ store, rooms }: Bench, count: number): Promise<void> {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(10_000))
  doc.getText('text').delete(1000, 3000)
  const state = Y.encodeStateAsUpdate(doc)
  const first = await Visitor.join(rooms, 'returned to')
  first.update(state)
  first.leave()
  await rooms.flushed()
  const before = await store.load('returned to')
  for (let i = 0; i < count; i++) {
    const visitor = await Visitor.join(rooms, 'returned to', doc)
    visitor.update(state)
    visitor.leave()
  }
  await rooms.flushed()
  const after = await store.load('returned to')
  console.log(`${count} returns: log of ${before?.log.length} became ${after?.log.length}, lastSeq ${before?.lastSeq} became ${after?.lastSeq}`)
}

const [, , what, count] = process.argv
if (what === undefined || what === 'growth') await withEngine(growth)
if (what === undefined || what === 'cycles') await withEngine((bench) => cycles(bench, Number(count ?? 100_000)))
if (what === undefined || what === 'reconnects') await withEngine((bench) => reconnects(bench, Number(count ?? 1000)))
if (what === undefined || what === 'rollout') await rollout(Number(count ?? 300))
