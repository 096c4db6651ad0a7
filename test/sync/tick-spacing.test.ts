import t from 'tap'
import { maxSpacingMs } from '../../src/sync/tick-clock.ts'
import { TickLoad } from '../../src/sync/tick-load.ts'
import { spacingOf } from '../../src/sync/tick-spacing.ts'

/** A room of 100: its tick costs about 0.8 ms. */
const classroom = { costMs: 0.8, presences: 0, load: 0 }

/** Where the pause of a room settles that gets an update every `everyMs`. */
function settled (everyMs: number, load = 0): number {
  let pause = 0
  for (let round = 0; round < 100; round++) pause = spacingOf({ ...classroom, updates: Math.max(1, pause / everyMs), load })
  return pause
}

await t.test('a room that has time does not wait for more', async (t) => {
  t.ok(settled(10) < 10, 'the next update finds the pause over')
  t.ok(spacingOf({ costMs: 0.03, updates: 1, presences: 0, load: 0 }) < 1, 'a small room hardly pauses at all')
})

await t.test('the more arrives, the more goes into one tick, and never is the pause too long', async (t) => {
  t.ok(settled(2) > 2 * settled(10))
  t.equal(settled(1), maxSpacingMs)
  t.equal(spacingOf({ costMs: 1000, updates: 1000, presences: 1000, load: 1 }), maxSpacingMs)
})

await t.test('all rooms pause longer where the process has much to do', async (t) => {
  t.ok(settled(10, 0.25) >= 2 * settled(10))
  t.equal(settled(10, 1), maxSpacingMs)
})

await t.test('a cursor may wait longer than text', async (t) => {
  const text = spacingOf({ ...classroom, updates: 1 })
  t.ok(spacingOf({ ...classroom, updates: 0, presences: 1 }) > 3 * text)
})

await t.test('the load is the share of time in ticks, of late', async (t) => {
  const load = new TickLoad(1000)
  t.equal(load.value, 0)
  for (let now = 1000; now < 3000; now += 10) load.add(5, now)
  t.ok(Math.abs(load.value - 0.5) < 0.05, `half of it: ${load.value}`)
  load.add(1, 60_000)
  t.ok(load.value < 0.01, 'after a quiet time nothing is left of it')
})
