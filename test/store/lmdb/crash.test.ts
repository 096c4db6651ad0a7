import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import { quiet } from '../quiet-logger.ts'
import { compactionsWithSetAside, startChild } from './child-process.ts'

/** A short series; `CRASH_ROUNDS=300` makes a long one. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 4)

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'y-store-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

for (const sync of ['process', 'fsync'] as const) {
  await t.test(`A service that is killed at any moment loses nothing that it has acknowledged (${sync})`, async (t) => {
    const path = await folder(t)
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < rounds; round++) {
      const child = await startChild(path, sync)
      const target = 1 + Math.floor(Math.random() * 2000)
      let said = 0
      child.lines.on('line', (line) => {
        const [document = '', seq] = line.split(' ')
        acknowledged.set(document, Number(seq))
        if (++said === target) child.process.kill('SIGKILL')
      })
      await Promise.all([once(child.process, 'exit'), once(child.lines, 'close')])
      const store = await openLmdbStore({ path, sync, logger: quiet })
      for (const [document, seq] of acknowledged) {
        const stored = await store.load(document)
        const last = stored?.log.at(-1)?.seq ?? stored?.snapshot?.upTo ?? 0
        if (!stored || stored.lastSeq < seq || last !== stored.lastSeq) return t.fail(`round ${round}, killed after ${target}: ${document} has ${stored?.lastSeq}, ${seq} was acknowledged`)
        const generation = stored.snapshot?.generation ?? 0
        for (let index = 0; index < (stored.snapshot?.pieces ?? 0); index++) {
          await store.readPiece(document, generation, index)
        }
        const aside = (await store.setAside(document)).length
        if (aside !== Math.min(generation, compactionsWithSetAside)) return t.fail(`round ${round}, killed after ${target}: ${document} has generation ${generation} and ${aside} set aside`)
      }
      await store.close()
    }
    t.ok(acknowledged.size === 4)
  })
}
