import { writeSync } from 'node:fs'
import { openLmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import { compactionsWithSetAside } from './child-process.ts'
import { quiet } from '../quiet-logger.ts'

/**
 * A process to be killed: opens the store at argv[2] (sync: argv[3]), prints `open`, and appends to four documents,
 * with a compaction now and then. Its journal is folded every few ms. It prints `<document> <seq>` as soon as an append
 * is acknowledged; the pipe keeps the lines after the kill.
 */
const [, , path = '', sync = 'process'] = process.argv
if (sync !== 'process' && sync !== 'fsync') throw new Error(`Unknown sync: ${sync}`)

function say (line: string): void {
  try {
    writeSync(1, `${line}\n`)
  } catch (error) {
    // The pipe is full: its reader is slower.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    say(line)
  }
}

const store = await openLmdbStore({ path, sync, logger: quiet, foldEveryMs: 5 })
say('open')
await Promise.all(['a', 'b', 'c', 'd'].map(write))

async function write (document: string): Promise<never> {
  for (let round = 1; ; round++) {
    const [seq = 0] = await store.append([{ document, update: Buffer.from(`${document} ${round} ${'.'.repeat(round % 500)}`) }])
    say(`${document} ${seq}`)
    if (round % 50 !== 0) continue
    const stored = await store.load(document)
    const replaces = stored?.snapshot?.generation ?? 0
    const setAside = replaces < compactionsWithSetAside ? [{ update: new Uint8Array(round * 5), reason: `round ${round}` }] : []
    await store.compact(document, { replaces, upTo: seq, pieces: [new Uint8Array(round * 50)], known: Buffer.from('known'), setAside })
  }
}
