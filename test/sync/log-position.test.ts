import fc from 'fast-check'
import t from 'tap'
import { LogPosition } from '../../src/sync/peers/log-position.ts'

t.test('The log is synced up to the first missing entry', async (t) => {
  const step = fc.record({ reach: fc.boolean(), seq: fc.integer({ min: 1, max: 40 }) })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const position = new LogPosition()
    const here = new Set<number>()
    for (const { reach, seq } of steps) {
      // Rarely are all entries up to a position known together, otherwise there would never be a gap.
      if (reach && seq < 8) {
        position.reach(seq)
        for (let each = 1; each <= seq; each++) here.add(each)
      } else {
        position.add(seq)
        here.add(seq)
      }
      let synced = 0
      while (here.has(synced + 1)) synced++
      t.equal(position.synced, synced)
      t.equal(position.highest, Math.max(...here))
      t.equal(position.hasHole, position.highest > synced)
    }
  }), { numRuns: 100 })
})
