/**
 * Times of src/update next to Yjs on the same inputs. Run: npx tsx bench/update.ts
 * The large text is that of test/update/traces.ts. Times are CPU times of the process; on a busy machine only the
 * ratios are meaningful.
 */
import * as Y from 'yjs'
import { difference } from '../src/update/difference.ts'
import { Known } from '../src/update/known.ts'
import { mergeUpdates } from '../src/update/merge-updates.ts'
import { scanUpdate } from '../src/update/scan-update.ts'
import { snapshotPieces } from '../src/update/snapshot-pieces.ts'
import { paperPatches } from '../test/update/traces.ts'

const maxBytes = 256 * 1024

/** CPU microseconds for one call: the median of several rounds of at least 20 ms each, after three to warm up. */
function time (run: () => unknown): number {
  const rounds: number[] = []
  for (let round = 0; round < 10; round++) {
    const start = process.cpuUsage()
    let calls = 0
    let elapsed = 0
    while (elapsed < 20_000) {
      // Reading the clock costs more than a short call, so there are many calls between two readings.
      for (const until = calls + Math.max(1, calls >> 2); calls < until; calls++) run()
      const { user, system } = process.cpuUsage(start)
      elapsed = user + system
    }
    if (round > 2) rounds.push(elapsed / calls)
  }
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!
}

function compare (name: string, ours: () => unknown, yjsName: string, yjs: () => unknown): void {
  const [a, b] = [time(ours), time(yjs)]
  console.log(`${name.padEnd(58)} ${format(a)}   ${yjsName.padEnd(28)} ${format(b)}   × ${(b / a).toFixed(1)}`)
}

const format = (microseconds: number): string => `${microseconds.toFixed(microseconds < 100 ? 2 : 0).padStart(9)} µs`

function keystrokeOf (client: number): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('text').insert(0, 'typed before')
  let update = new Uint8Array()
  doc.on('update', (bytes: Uint8Array) => { update = Uint8Array.from(bytes) })
  doc.getText('text').insert(6, 'e')
  return update
}

function paper (): { state: Uint8Array, log: Uint8Array[] } {
  const doc = new Y.Doc()
  const log: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => log.push(update))
  const text = doc.getText('text')
  for (const [position, deleted, inserted] of paperPatches()) {
    if (deleted > 0) text.delete(position, deleted)
    if (inserted !== '') text.insert(position, inserted)
  }
  return { state: Y.encodeStateAsUpdate(doc), log }
}

/** A document of blocks as an editor writes it: elements with attributes, text with formats. */
function blocks (targetBytes: number): Uint8Array {
  const doc = new Y.Doc()
  const fragment = doc.getXmlFragment('document-store')
  let random = 7
  for (let size = 0; size < targetBytes; size += 330) {
    random = (random * 48271) % 2147483647
    const block = new Y.XmlElement('blockContainer')
    block.setAttribute('id', `block-${random}`)
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.setAttribute('textAlignment', 'left')
    const text = new Y.XmlText()
    paragraph.insert(0, [text])
    block.insert(0, [paragraph])
    fragment.insert(random % (fragment.length + 1), [block])
    text.insert(0, 'A sentence of ordinary length with an accent, où, to have some. '.repeat(1 + random % 3))
    text.format(random % 40, 10, { bold: true })
    text.format(random % 20, 5, { textColor: { stringValue: 'red' } })
  }
  return Y.encodeStateAsUpdate(doc)
}

const keystroke = keystrokeOf(3_000_000_000)
compare(`scan one keystroke (${keystroke.length} bytes)`, () => scanUpdate(keystroke), 'Y.decodeUpdate', () => Y.decodeUpdate(keystroke))

const { state, log } = paper()
compare(`scan the paper (${state.length} bytes)`, () => scanUpdate(state), 'Y.decodeUpdate', () => Y.decodeUpdate(state))
const big = blocks(2_000_000)
compare(`scan a document of blocks (${big.length} bytes)`, () => scanUpdate(big), 'Y.decodeUpdate', () => Y.decodeUpdate(big))

const hundred = Array.from({ length: 100 }, (_, i) => keystrokeOf(1_000_000_000 + i * 7919))
const hundredScans = hundred.map(scanUpdate)
compare('merge 100 keystrokes of 100 clients', () => mergeUpdates(hundredScans), 'Y.mergeUpdates', () => Y.mergeUpdates(hundred))
compare('scan and merge them', () => mergeUpdates(hundred.map(scanUpdate)), 'Y.mergeUpdates', () => Y.mergeUpdates(hundred))
const thousand = log.slice(0, 1000)
compare('scan and merge 1,000 keystrokes of one client', () => mergeUpdates(thousand.map(scanUpdate)), 'Y.mergeUpdates', () => Y.mergeUpdates(thousand))
console.log(`scan and merge all ${log.length} keystrokes of the paper`.padEnd(58), format(time(() => mergeUpdates(log.map(scanUpdate)))))

const known = new Known()
known.add(scanUpdate(state))
const whole = new Y.Doc()
Y.applyUpdate(whole, state)
const again = Y.encodeStateAsUpdate(whole, Y.encodeStateVector(whole))
const snapshot = Y.snapshot(whole)
known.contains(scanUpdate(again))
compare(`scan and contains, a reconnect (delete set of ${again.length} bytes)`, () => known.contains(scanUpdate(again)), 'Y.snapshotContainsUpdate', () => Y.snapshotContainsUpdate(snapshot, again))
compare('scan, contains, add, missing of one keystroke', () => {
  const scan = scanUpdate(keystroke)
  return known.contains(scan) || known.missing(scan)
}, 'Y.snapshotContainsUpdate', () => Y.snapshotContainsUpdate(snapshot, keystroke))

const half = Y.encodeStateVectorFromUpdate(Y.mergeUpdates(log.slice(0, 5000)))
compare('difference of the paper from an early state', () => difference([state], half, maxBytes), 'Y.diffUpdate', () => Y.diffUpdate(state, half))
compare('snapshot of the paper from its state', () => snapshotPieces([state], maxBytes), 'Y.applyUpdate and encode', () => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return Y.encodeStateAsUpdate(doc)
})
const start = performance.now()
const { pieces, bytes } = snapshotPieces(log, maxBytes)
console.log(`snapshot of the paper from ${log.length} updates: ${Math.round(performance.now() - start)} ms, ${pieces.length} pieces, ${bytes} bytes`)
