import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { MalformedUpdate } from '../../src/update/malformed-update.ts'
import { scanClientUpdate, scanUnchecked, scanUpdate } from '../../src/update/scan-update.ts'
import { mix } from './histories.ts'
import { tries } from './tries.ts'

await t.test('A scan reports the structs, runs and deletions that Yjs decodes', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    for (const update of updates) {
      const scan = scanUpdate(update)
      assert.deepEqual(clocksOfRuns(scan), clocksOfStructs(update), 'runs')
      assert.deepEqual(deletesOf(scan), deletesOfYjs(update), 'deletions')
      assert.deepEqual([...scan.needs].sort(), [...needsOfYjs(update)].sort(), 'needs')
      assert.equal(scan.deletesNothing, scan.deleteSet.isEmpty)
      const last = [...scan.runs].at(-1)
      if (last !== undefined) assert.ok(last.to <= scan.deletesFrom)
    }
  }), { numRuns: tries(150) })
})

await t.test('A truncated update, or one with a byte after its end, is malformed', async () => {
  fc.assert(fc.property(mix, fc.nat(), ({ updates }, n) => {
    const update = updates[n % Math.max(updates.length, 1)]
    if (update === undefined) return
    const length = n % update.length
    assert.throws(() => scanUpdate(update.subarray(0, length)), { name: 'MalformedUpdate' })
    assert.throws(() => scanUpdate(Uint8Array.from([...update, 0])), { name: 'MalformedUpdate' })
  }), { numRuns: tries(150) })
})

await t.test('What Yjs cannot decode is rejected, with a sentence that names the place and no content', async (t) => {
  const cases: Record<string, number[]> = {
    'no bytes': [],
    'more sections than bytes': [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    'a number over 2^53 - 1': [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0, 0],
    'endless padding of a number': [...new Array<number>(200).fill(0x80), 0, 0],
    'a list that promises 2^50 elements': [1, 1, 5, 0, 8, 1, 1, 97, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 0],
    'a clock over 2^53 - 1': [1, 2, 5, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 9, 0],
    'a deletion over 2^53 - 1': [0, 1, 5, 1, 9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    'an unknown struct': [1, 1, 5, 0, 11, 1, 1, 97, 0],
    'a skip with flags': [1, 1, 5, 0, 0x8a, 5, 0, 1, 0],
    'an unknown type': [1, 1, 5, 0, 7, 1, 1, 97, 7, 0],
    'an unknown value': [1, 1, 5, 0, 8, 1, 1, 97, 1, 115, 0],
    'a text that is not UTF-8': [1, 1, 5, 0, 4, 1, 1, 97, 2, 0xc0, 0x80, 0],
    'a lone surrogate': [1, 1, 5, 0, 4, 1, 1, 97, 3, 0xed, 0xa0, 0x80, 0],
    'an embed that is not JSON': [1, 1, 5, 0, 5, 1, 1, 97, 1, 0x7b, 0],
    'a subdocument without options': [1, 1, 5, 0, 9, 1, 1, 97, 1, 97, 127, 0],
    'values nested 600 deep': [1, 1, 5, 0, 8, 1, 1, 97, 1, ...new Array<number>(600).fill(0).flatMap(() => [117, 1]), 126, 0],
  }
  for (const [name, bytes] of Object.entries(cases)) {
    t.throws(() => scanUpdate(Uint8Array.from(bytes)), { name: 'MalformedUpdate', message: /^The update is malformed at byte \d+: [a-z0-9 -]+\.$/i }, name)
  }
  t.ok(new MalformedUpdate('it ends too early', 3) instanceof Error)
})

await t.test('A struct without content counts as deleted, even if the delete set does not hold it', async (t) => {
  const collected = scanUpdate(Uint8Array.of(1, 2, 5, 3, 0, 4, 0x81, 5, 6, 2, 0))
  t.equal(collected.deletesByStructs, true)
  t.equal(collected.deletesNothing, false)
  t.same(deletesOf(collected), [[5, 3, 9]])
})

await t.test('A scan reads only its own part of a larger buffer', async (t) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'some text')
  const update = Y.encodeStateAsUpdate(doc)
  const frame = new Uint8Array(update.length + 20).fill(255)
  frame.set(update, 7)
  t.same(scanUpdate(frame.subarray(7, 7 + update.length)).runs, scanUpdate(update).runs)
})

await t.test('What Yjs decodes but cannot apply is rejected, unless it is read unchecked', async (t) => {
  const section = (clock: number): number[] => [1, 5, clock, 4, 1, 1, 97, 1, 98]
  const cases: Record<string, string | number[]> = {
    'an origin that is the struct itself': '01010500840500017800',
    'an origin ahead of it': '01010500840507017800',
    'a right origin that is the struct itself': '01010500440500017800',
    'a right origin ahead of it': '02010900040101610178010500440503017800',
    'a parent that is the struct itself': '0101050004000500017800',
    'a parent ahead of it, of a value under a key': '010105002800050301 6b017e00'.replace(' ', ''),
    'a later struct of a run that leans on itself': '01020500040101610178840501017800',
    'a text without characters': '01010500040101610000',
    'a list without elements': '01010500080101610000',
    'a JSON list without elements': '01010500020101610000',
    'a deleted struct of no length': '01010500010101610000',
    'a collected struct of no length': '010105000000' + '00',
    'a skip of no length': '010205000a00040101610178' + '00',
    'a deletion of no length': '000105010200',
    'a deletion of no length after another': '00010502000102' + '00',
    'deletions that do not ascend': '00010502040102' + '01',
    'deletions that overlap': '00010502000302' + '02',
    'a client twice in the delete set': '000205010401' + '05010001',
    'two sections of a client': [2, ...section(0), ...section(1), 0],
    'two sections of a client, apart': [3, ...section(0), 1, 4, 0, 0, 1, ...section(1), 0],
    'several values under a key': '0101050028010161016b027e7e00',
    'several values under a key, one of them deleted': '0101050028010161016b027e7e010501' + '0001',
    'several characters under a key': '0101050024010161016b02787900',
    'a subdocument whose options hold no text as its id': '01010500090101610167760104677569647e00',
    'the same with a longer form of the length': '0101050009010161016776018400677569647e00',
    'an embed of JSON nested 600 deep': [1, 1, 5, 0, 5, 1, 1, 97, 0xb0, 9, ...Buffer.from('['.repeat(600) + ']'.repeat(600)), 0],
  }
  for (const [name, given] of Object.entries(cases)) {
    const bytes = Uint8Array.from(typeof given === 'string' ? Buffer.from(given, 'hex') : given)
    t.throws(() => scanClientUpdate(bytes), { name: 'MalformedUpdate', message: /^The update is malformed at byte \d+: [a-z0-9 -]+\.$/i }, name)
    t.doesNotThrow(() => scanUnchecked(bytes), name)
    t.doesNotThrow(() => Y.decodeUpdate(bytes), name)
  }
  t.equal(scanClientUpdate(Uint8Array.from([2, 1, 4, 0, 0, 1, ...section(0), 0])).runs.length, 2, 'ascending order is unusual, but whole')
  t.equal(scanUpdate(Buffer.from('0101050028010161016b027e7e0105010002', 'hex')).runs.length, 1, 'values that a document without collection has deleted')
  t.equal(scanUpdate(Buffer.from('0200050000040000', 'hex')).runs.length, 0, 'sections without structs')
})

type Scan = ReturnType<typeof scanUpdate>

/** Client and clocks, one entry for each run. */
function clocksOfRuns ({ runs }: Scan): number[][] {
  return Array.from(runs, ({ client, clock, end, structs }) => [client, clock, end, structs])
}

function clocksOfStructs (update: Uint8Array): number[][] {
  const runs: number[][] = []
  let afterSkip = true
  for (const struct of Y.decodeUpdate(update).structs) {
    const { client, clock } = struct.id
    const last = runs.at(-1)
    if (struct instanceof Y.Skip) afterSkip = true
    else if (!afterSkip && last !== undefined && last[0] === client && last[2] === clock) {
      last[2] = clock + struct.length
      last[3]!++
    } else {
      runs.push([client, clock, clock + struct.length, 1])
      afterSkip = false
    }
  }
  return runs
}

function deletesOf ({ deleteSet }: Scan): number[][] {
  return deleteSet.clients().flatMap((client) => {
    const ranges = deleteSet.rangesOf(client)
    return ranges.flatMap((clock, i) => i % 2 === 0 ? [[client, clock, ranges[i + 1]!]] : [])
  })
}

/** Every deleted clock on its own, put together again: slow and obviously right. */
function deletesOfYjs (update: Uint8Array): number[][] {
  const { structs, ds } = Y.decodeUpdate(update)
  const clocks = new Map<number, Set<number>>()
  const add = (client: number, clock: number, length: number): void => {
    if (!clocks.has(client)) clocks.set(client, new Set())
    for (let i = 0; i < length; i++) clocks.get(client)!.add(clock + i)
  }
  ds.clients.forEach((items, client) => items.forEach(({ clock, len }) => add(client, clock, len)))
  for (const struct of structs) {
    const gone = struct instanceof Y.GC || (struct instanceof Y.Item && struct.content instanceof Y.ContentDeleted)
    if (gone) add(struct.id.client, struct.id.clock, struct.length)
  }
  const ranges: number[][] = []
  for (const client of [...clocks.keys()].sort((a, b) => b - a)) {
    for (const clock of [...clocks.get(client)!].sort((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last !== undefined && last[0] === client && last[2] === clock) last[2]++
      else ranges.push([client, clock, clock + 1])
    }
  }
  return ranges
}

function needsOfYjs (update: Uint8Array): Map<number, number> {
  const needs = new Map<number, number>()
  const runs = clocksOfStructs(update)
  for (const struct of Y.decodeUpdate(update).structs) {
    if (!(struct instanceof Y.Item)) continue
    const { clock } = struct.id
    const run = runs.find(([client, from, to]) => client === struct.id.client && from! <= clock && to! > clock)!
    for (const id of [struct.origin, struct.rightOrigin, struct.parent]) {
      if (!(id instanceof Y.ID) || (id.client === struct.id.client && id.clock >= run[1]!)) continue
      needs.set(id.client, Math.max(needs.get(id.client) ?? 0, id.clock + 1))
    }
  }
  return needs
}
