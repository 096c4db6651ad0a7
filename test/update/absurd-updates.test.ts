/**
 * Tries well-formed but absurd updates, made from a seed, against Yjs: accepted ones never make it throw, however a
 * document is assembled. By default these are a few thousand. To try a million from another seed:
 * `ABSURD_UPDATES=1000000 ABSURD_SEED=7 node --import tsx test/update/absurd-updates.test.ts`
 */
import assert from 'node:assert/strict'
import t from 'tap'
import * as Y from 'yjs'
import { difference } from '../../src/update/difference.ts'
import { inspectUpdate } from '../../src/update/inspect-update.ts'
import { KeyedClocks } from '../../src/update/keyed-clocks.ts'
import { Known } from '../../src/update/known.ts'
import { MalformedUpdate } from '../../src/update/malformed-update.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { scanClientUpdate, type ScannedUpdate, scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { trimUpdate } from '../../src/update/trim-update.ts'
import { absurdUpdate, Random } from './absurd-updates.ts'
import { baseDocuments } from './base-documents.ts'
import { defineRoots } from './histories.ts'

const count = Number(process.env.ABSURD_UPDATES ?? 4000)
const firstSeed = Number(process.env.ABSURD_SEED ?? 1)
/** Updates for each document before it is read in other ways. */
const updatesEach = 10

/** Deletes everything that the updates can have written, so that it is collected with its parents. */
const deleteAll = Uint8Array.of(0, 5, 5, 1, 0, 60, 4, 1, 0, 60, 3, 1, 0, 60, 2, 1, 0, 60, 1, 1, 0, 60)
const nothing = Uint8Array.of(0)

/** A document as the service accepts it. */
class Log {
  readonly updates: Uint8Array[]
  readonly known = new Known()
  readonly #keyed: KeyedClocks

  constructor (base: Uint8Array) {
    this.updates = [base]
    this.known.add(scanUpdate(base))
    this.#keyed = KeyedClocks.of(scanUpdate(base))
  }

  /** Accepts an update, if it is sound. @returns what is stored and broadcast */
  accept (update: Uint8Array): Uint8Array | null {
    try {
      const scan = trimUpdate(scanClientUpdate(update), this.known.stateVector)
      if (this.#isBeyondGap(scan) || (scan.needsInspection && this.#waits(scan))) return null
      if (scan.needsInspection === 'types') inspectUpdate(scan.bytes, this.updates)
      else if (scan.needsInspection === 'values' && !this.#keyed.allows(scan)) return null
      this.#keyed.add(scan)
      this.known.add(scan)
      this.updates.push(scan.bytes)
      return scan.bytes
    } catch (error) {
      if (error instanceof MalformedUpdate) return null
      throw error
    }
  }

  /** An update that overlaps structs beyond a gap cannot be trimmed, see docs/decisions/update-bytes.md. */
  #isBeyondGap ({ runs }: ScannedUpdate): boolean {
    return Array.from(runs).some(({ client, clock }) => clock > (this.known.stateVector.get(client) ?? 0))
  }

  /** The place of a struct is unknown while its origin is missing. */
  #waits (scan: ScannedUpdate): boolean {
    const known = Known.unpack(this.known.pack())
    known.add(scan)
    return known.missing(scan)
  }
}

/** How a reader gets a document. */
const ways: Readonly<Record<string, (log: readonly Uint8Array[]) => readonly Uint8Array[]>> = {
  'one by one': (log) => log,
  merged: (log) => [mergeUpdates(log.map(scanUpdate))],
  'merged by Yjs': (log) => [Y.mergeUpdates([...log])],
  'without the base document': (log) => log.slice(1),
  'as a difference': (log) => difference(log, nothing, 64),
  'as a snapshot': (log) => {
    const { pieces, setAside } = snapshotPieces(log, 64)
    assert.deepEqual(setAside, [])
    return pieces
  },
}

await t.test('No accepted update ever makes Yjs throw', async (t) => {
  const print = console.error
  // Yjs reports a subdocument that was added twice.
  console.error = () => {}
  let accepted = 0
  const failures: string[] = []
  for (let seed = firstSeed, made = 0; made < count && failures.length < 20; seed++, made += updatesEach) {
    const random = new Random(seed)
    const name = random.pick(Object.keys(baseDocuments))
    const log = new Log(baseDocuments[name]!)
    const live = newReader(random)
    let way = 'live'
    try {
      Y.applyUpdate(live, log.updates[0]!)
      for (let i = 0; i < updatesEach; i++) {
        const update = log.accept(absurdUpdate(random, log.known.stateVector))
        if (update !== null) Y.applyUpdate(live, update)
      }
      accepted += log.updates.length - 1
      assertReadable(live)
      way = random.pick(Object.keys(ways))
      const late = newReader(random)
      for (const update of ways[way]!(log.updates)) Y.applyUpdate(late, update)
      assertReadable(late)
    } catch (error) {
      const hex = log.updates.slice(1).map((update) => Buffer.from(update).toString('hex')).join(' ')
      const cause = error instanceof Error ? error.stack : String(error)
      failures.push(`seed ${seed}, ${name}, ${way}: ${cause}\n${hex}`)
    }
  }
  console.error = print
  t.comment(`${count} updates from seed ${firstSeed}: ${accepted} accepted`)
  t.equal(failures.join('\n'), '')
  t.ok(accepted > count / 20, 'enough updates are accepted')
})

function newReader (random: Random): Y.Doc {
  const doc = new Y.Doc({ guid: 'reader', gc: !random.chance(4) })
  doc.clientID = 99
  if (random.chance(2)) defineRoots(doc)
  return doc
}

/** The document can be written, everything in it can be deleted and collected, and later edits emit updates. */
function assertReadable (doc: Y.Doc): void {
  Y.encodeStateAsUpdate(doc)
  defineRoots(doc)
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(doc))
  Y.applyUpdate(doc, deleteAll)
  Y.encodeStateAsUpdate(doc)
  let heard = false
  doc.on('update', () => { heard = true })
  doc.getMap('map').set('later', 1)
  assert.ok(heard, 'updates are emitted')
}
