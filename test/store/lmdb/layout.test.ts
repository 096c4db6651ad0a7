import fc from 'fast-check'
import t from 'tap'
import {
  decodeRow, decodeSetAside, decodeState, encodeRow, encodeSetAside, encodeState, logKey, nameKey, noState, pieceKey,
  seal, setAsideKey, setAsideRange, stateKey, unseal, wrap,
} from '../../../src/store/lmdb/layout.ts'

const u48 = fc.nat(2 ** 31 - 1).chain((low) => fc.nat(2 ** 16 - 1).map((high) => high * 2 ** 32 + low))

await t.test('Keys sort as their numbers do, and the state of a document comes after its log', async (t) => {
  fc.assert(fc.property(u48, u48, u48, (id, one, two) => {
    t.equal(Math.sign(logKey(id, one).compare(logKey(id, two))), Math.sign(one - two))
    t.ok(logKey(id, one).compare(stateKey(id)) < 0)
    t.ok(stateKey(id).compare(logKey(id + 1, 0)) < 0)
    const { start, end } = setAsideRange(id)
    t.ok(stateKey(2 ** 48 - 1).compare(start) < 0)
    t.ok(start.compare(setAsideKey(id, one)) <= 0 && setAsideKey(id, one).compare(end) <= 0)
    t.ok(end.compare(setAsideKey(id + 1, 0)) < 0)
    t.equal(Math.sign(pieceKey(id, one, 5).compare(pieceKey(id, two, 4))), Math.sign(one - two) || 1)
  }), { numRuns: 200 })
})

await t.test('Records are decoded as they were encoded', async (t) => {
  fc.assert(fc.property(fc.array(u48, { minLength: 9, maxLength: 9 }), (numbers) => {
    const state = Object.fromEntries(Object.keys(noState).map((field, at) => [field, numbers[at]]))
    // It has all fields of noState, each a number.
    t.same(decodeState(encodeState(state as unknown as typeof noState)), state)
    const row = { id: numbers[0] ?? 0, createdAt: numbers[1] ?? 0 }
    t.same(decodeRow(encodeRow(row)), row)
  }), { numRuns: 50 })
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.string({ unit: 'grapheme', maxLength: 100 }), u48, (update, reason, at) => {
    t.same(decodeSetAside(encodeSetAside({ update, reason }, at)), { update, reason, at })
  }), { numRuns: 50 })
})

await t.test('A seal breaks if any bit changes, and under any other key', async (t) => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 0, maxLength: 100 }), fc.nat(), u48, (content, bit, id) => {
    const key = logKey(id, 7)
    const value = seal(key, wrap(content))
    t.ok(unseal(key, value)?.equals(content))
    t.equal(unseal(logKey(id, 8), value), undefined)
    t.equal(unseal(nameKey('x'), value), undefined)
    const at = bit % (value.length * 8)
    value[at >> 3] = (value[at >> 3] ?? 0) ^ 1 << (at & 7)
    t.equal(unseal(key, value), undefined)
    t.equal(unseal(key, value.subarray(0, 3)), undefined)
  }), { numRuns: 200 })
})
