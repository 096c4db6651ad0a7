/**
 * The throughput of the stores for appends of 100 bytes, with each writer waiting for its own answer, and the time to
 * open a document of 10 MB. For comparison a naive store: a `put` for each update, as in most servers on LMDB.
 *
 *     node --import tsx bench/store.ts [seconds per figure]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { open } from 'lmdb'
import { openLmdbStore } from '../src/store/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import type { Store } from '../src/store/store.ts'
import { startPostgres } from '../test/store/postgres-server.ts'
import { quiet } from '../test/store/quiet-logger.ts'

const measuredSeconds = Number(process.argv[2] ?? 3)
const writerCounts = [1, 100, 1000]
const update = new Uint8Array(100).map((_, at) => at * 7)

type Append = (writer: number) => Promise<unknown>

const say = (line: string) => process.stdout.write(`${line}\n`)
const at = (sorted: Float64Array, share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)

async function measure (name: string, writers: number, append: Append): Promise<void> {
  const taken: number[] = []
  const cpu = process.cpuUsage()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const start = performance.now()
  const end = start + measuredSeconds * 1000
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    while (performance.now() < end) {
      const begun = performance.now()
      await append(writer)
      taken.push(performance.now() - begun)
    }
  }))
  const seconds = (performance.now() - start) / 1000
  delay.disable()
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(taken).sort()
  say(`| ${name} | ${writers} | ${Math.round(taken.length / seconds)} | ${at(sorted, 0.5)} | ${at(sorted, 0.99)} | ${((user + system) / taken.length).toFixed(0)} | ${(delay.percentile(99) / 1e6).toFixed(1)} |`)
}

async function measureStore (name: string, store: Store): Promise<void> {
  for (const writers of writerCounts) await measure(name, writers, (writer) => store.append([{ document: `document-${writer}`, update }]))
}

async function measureTick (name: string, store: Store): Promise<void> {
  const entries = Array.from({ length: 1000 }, (_, writer) => ({ document: `document-${writer}`, update }))
  await measure(name, 1, () => store.append(entries))
}

async function measureLoad (name: string, store: Store): Promise<void> {
  await store.append([{ document: 'large', update }])
  const pieces = Array.from({ length: 40 }, (_, at) => new Uint8Array(256 * 1024).map((_, byte) => byte * at * 31 >> 3))
  await store.compact('large', { replaces: 0, upTo: 1, pieces, known: new Uint8Array(30_000) })
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    const begun = performance.now()
    const stored = await store.load('large')
    for (let index = 0; index < 40; index++) await store.readPiece('large', stored?.snapshot?.generation ?? 0, index)
    times.push(performance.now() - begun)
  }
  say(`${name}: a document of 10 MB in 40 pieces is read in ${at(Float64Array.from(times).sort(), 0.5)} ms`)
}

async function inFolder (work: (path: string) => Promise<void>): Promise<void> {
  // Not /tmp, which can be in memory: the disk is measured.
  const path = await mkdtemp(join(process.env.BENCH_DIR ?? tmpdir(), 'y-bench-'))
  await work(path)
  await rm(path, { recursive: true })
}

say('| store | writers | appends/s | p50 ms | p99 ms | CPU µs per append | event loop p99 ms |')
say('| --- | --- | --- | --- | --- | --- | --- |')
for (const overlappingSync of [true, false]) {
  await inFolder(async (path) => {
    const tree = open<Uint8Array, number[]>({ path: join(path, 'naive.mdb'), encoding: 'binary', overlappingSync })
    const next = new Map<number, number>()
    for (const writers of writerCounts) {
      await measure(`naive put, overlappingSync ${overlappingSync}`, writers, (writer) => {
        const seq = (next.get(writer) ?? 0) + 1
        next.set(writer, seq)
        return tree.put([writer, seq], update)
      })
    }
    await tree.close()
  })
}
for (const sync of ['process', 'fsync'] as const) {
  await inFolder(async (path) => {
    const store = await openLmdbStore({ path, sync, logger: quiet })
    await measureStore(`LMDB, ${sync}`, store)
    await measureTick(`LMDB, ${sync}, 1,000 documents in a call`, store)
    await store.close()
  })
}
const server = await startPostgres({ durable: true })
const postgres = await openPostgresStore({ url: await server.makeSchema('bench'), schema: 'bench', logger: quiet })
await measureStore('PostgreSQL', postgres)
await measureTick('PostgreSQL, 1,000 documents in a call', postgres)
say('')
await measureLoad('PostgreSQL', postgres)
await postgres.close()
await server.stop()
await inFolder(async (path) => {
  const store = await openLmdbStore({ path, sync: 'process', logger: quiet })
  await measureLoad('LMDB', store)
  await store.close()
})
