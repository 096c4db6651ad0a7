import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { isJson } from '../../src/update/json-syntax.ts'
import { Known } from '../../src/update/known.ts'
import { MalformedUpdate } from '../../src/update/malformed-update.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { type ScannedUpdate, scanUpdate } from '../../src/update/scan-update.ts'
import { validCharacterSize, utf16Length } from '../../src/update/utf8.ts'
import { mix } from './histories.ts'
import { tries } from './tries.ts'

/** How many mutated updates are tried. */
const mutations = tries(10_000)

/** Numbers at the edges: 2^53 - 1, 2^35 - 1, 2^50, and the structs skip, collected and deleted. */
const edges = [
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
  [10, 5],
  [0, 5],
  [1, 3],
].map((bytes) => Uint8Array.from(bytes))

/** A mutation replaces bytes anywhere in the update by others, as many or not. */
type Mutation = { at: number, removed: number, added: Uint8Array }

const aByte = fc.uint8Array({ minLength: 1, maxLength: 1 })
const aSmallByte = fc.uint8Array({ minLength: 1, maxLength: 1, max: 12 })
const mutation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ at: fc.nat(), removed: fc.constant(1), added: aByte }) },
  { weight: 2, arbitrary: fc.record({ at: fc.nat(), removed: fc.constant(1), added: aSmallByte }) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), removed: fc.nat(8), added: fc.uint8Array({ maxLength: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ at: fc.nat(), removed: fc.nat(2), added: fc.constantFrom(...edges) }) }
)

/** The reasons for which a scan rejects updates that Yjs decodes. */
const stricterThanYjs = new RegExp([
  'bytes follow its end',
  'out of range',
  'nested too deeply',
  'options of a subdocument',
  'is empty',
  'ahead of its struct',
  'two sections',
  'two lists of deletions',
  'do not ascend',
  'several values',
].join('|'))

await t.test('Yjs decodes all mutated updates that a scan accepts, and a scan rejects the others with MalformedUpdate', async (t) => {
  let accepted = 0
  let rejected = 0
  const perRun = 50
  const mutant = fc.array(mutation, { minLength: 1, maxLength: 2 })
  fc.assert(fc.property(mix, fc.array(mutant, { minLength: perRun, maxLength: perRun }), ({ updates }, mutants) => {
    if (updates.length === 0) return
    for (const [i, mutant] of mutants.entries()) {
      const update = mutant.reduce(mutate, updates[i % updates.length]!)
      const scan = tryScan(update)
      if (scan === null) {
        rejected++
        continue
      }
      accepted++
      assert.doesNotThrow(() => Y.decodeUpdate(update))
      assertAppliesOrFailsLater(update)
      assertUsable(scan)
    }
  }), { numRuns: mutations / perRun })
  t.comment(`${accepted} accepted, ${rejected} rejected`)
  t.ok(accepted > mutations / 50, 'enough mutations are accepted')
})

await t.test('Yjs decodes all random bytes that a scan accepts', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const scan = tryScan(bytes)
    if (scan !== null) assert.doesNotThrow(() => Y.decodeUpdate(bytes))
  }), { numRuns: tries(10_000) })
})

await t.test('A text is UTF-8 if a fatal decoder accepts it, and as long as the string', async () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 4, min: 0x7f }),
    fc.constant(Buffer.from('ascii '.repeat(30)))
  )
  fc.assert(fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
    const bytes = Buffer.concat(pieces)
    const units = lengthOf(decoder, bytes)
    assert.equal(utf16Length(bytes, 0, bytes.length), units)
    if (units < 0) return
    let characters = 0
    for (let at = 0; at < bytes.length; at += validCharacterSize(bytes, at)) characters++
    assert.equal(characters, [...decoder.decode(bytes)].length)
  }), { numRuns: tries(10_000) })
})

await t.test('A text is JSON if JSON.parse accepts it', async (t) => {
  const character = fc.constantFrom(...'{}[],:"\\/bfnrtu0123456789.-+eE \t\nalsxyzAF\u0000\u001fü\ufeff')
  const text = fc.oneof(
    fc.json(),
    fc.array(character, { maxLength: 12 }).map((characters) => characters.join('')),
    fc.tuple(fc.json(), fc.nat(), character).map(([json, n, character]) => {
      const at = n % (json.length + 1)
      return json.slice(0, at) + character + json.slice(at + n % 2)
    })
  )
  fc.assert(fc.property(text, (text) => {
    const bytes = Buffer.from(`x${text}"`)
    assert.equal(isJson(bytes, 1, bytes.length - 1), parses(bytes.subarray(1, -1).toString()))
  }), { numRuns: tries(10_000) })
  for (const depth of [64, 65, 5000]) {
    const deep = Buffer.from('['.repeat(depth) + ']'.repeat(depth))
    t.equal(isJson(deep, 0, deep.length), true)
    t.equal(isJson(deep, 0, deep.length - 1), false)
  }
})

function mutate (update: Uint8Array, { at, removed, added }: Mutation): Uint8Array {
  const from = at % (update.length + 1)
  return Buffer.concat([update.subarray(0, from), added, update.subarray(from + removed)])
}

function tryScan (update: Uint8Array): ScannedUpdate | null {
  try {
    return scanUpdate(update)
  } catch (error) {
    assert.ok(error instanceof MalformedUpdate, String(error))
    if (!stricterThanYjs.test(error.message)) assert.throws(() => Y.decodeUpdate(update), error.message)
    return null
  }
}

/** Yjs decodes before it integrates, so an error with a decoder in its stack is one of decoding. */
function assertAppliesOrFailsLater (update: Uint8Array): void {
  try {
    Y.applyUpdate(new Y.Doc(), update)
  } catch (error) {
    const stack = error instanceof Error ? error.stack ?? '' : ''
    assert.doesNotMatch(stack, /readClientsStructRefs|readVar|readItemContent|readAny/)
  }
}

/** Everything that was accepted can be known, merged and scanned again. */
function assertUsable (scan: ScannedUpdate): void {
  const known = new Known()
  known.contains(scan)
  known.add(scan)
  assert.equal(known.contains(scan), true)
  known.missing(scan)
  const merged = scanUpdate(mergeUpdates([scan, scan]))
  assert.equal(known.contains(merged), true)
  const again = new Known()
  again.add(merged)
  assert.equal(again.contains(scan), true)
}

function parses (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** @returns UTF-16 units of a text, or -1 if the bytes are not UTF-8 */
function lengthOf (decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): number {
  try {
    return decoder.decode(bytes).length
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error))
    return -1
  }
}
