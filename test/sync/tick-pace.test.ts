import t from 'tap'
import { TickLoad } from '../../src/sync/tick/tick-load.ts'
import { spacingOf, TickPace } from '../../src/sync/tick/tick-pace.ts'

const most = 50

/** How long a room gathers in the end, if its tick costs so many ms and it gets an update every `everyMs`. */
function settled (costMs: number, everyMs: number, load = 0): number {
  let spacing = 0
  for (let round = 0; round < 100; round++) spacing = spacingOf({ costMs, merged: 1 + spacing / everyMs, load }, most)
  return spacing
}

await t.test('A small room hardly gathers; a room of a hundred gathers the updates of a few people', async (t) => {
  t.ok(settled(0.03, 500) < 1, 'two people')
  t.ok(settled(0.2, 50) < 2.5, 'twenty')
  const hundred = settled(1.2, 10)
  t.ok(hundred > 4 && hundred < 8, `a hundred: ${hundred}`)
  t.ok(settled(2.4, 10) < 1.7 * hundred, 'on a machine of half the speed')
})

await t.test('A moment in which many people type at once does not slow a room down', async (t) => {
  const pace = new TickPace()
  const spacing = () => pace.dueAt(1001) - 1001
  for (let round = 0; round < 50; round++) pace.ticked(1000, 1001, 2, 0, most)
  const before = spacing()
  pace.ticked(1000, 1001, 12, 0, most)
  t.ok(spacing() > before && spacing() < 1.5 * before, `${before} ms, then ${spacing()}`)
  for (let round = 0; round < 50; round++) pace.ticked(1000, 1001, 50, 0, most)
  t.equal(spacing(), most, 'it differs if they continue')
})

await t.test('The cost of a crowd does not slow down the people who join after it has left', async (t) => {
  const pace = new TickPace()
  for (let round = 0; round < 50; round++) pace.ticked(1000, 1002, 50, 0, most)
  t.equal(pace.dueAt(1003) - 1003, most)
  pace.ticked(60_000, 60_000.1, 1, 0, most)
  t.ok(pace.dueAt(60_001) - 60_001 < 2)
})

await t.test('The more arrives, the more goes into one tick, and a tick never takes too long', async (t) => {
  t.ok(settled(0.4, 2) > settled(0.4, 20))
  t.equal(settled(1.2, 1), most)
  t.equal(spacingOf({ costMs: 1000, merged: 1000, load: 1 }, most), most)
  t.equal(spacingOf({ costMs: 1000, merged: 1000, load: 1 }, 0), 0)
})

await t.test('After a quiet time an update is sent at once; while a room is busy, an update waits for others', async (t) => {
  const pace = new TickPace()
  t.equal(pace.dueAt(1000), 1000, 'the first')
  for (let round = 0; round < 50; round++) pace.ticked(1000, 1001, 2, 0, most)
  const spacing = spacingOf({ costMs: 1, merged: 2, load: 0 }, most)
  for (const at of [1001, 1003, 1000 + 3.9 * spacing]) t.ok(Math.abs(pace.dueAt(at) - at - spacing) < 0.01, `${at - 1000} ms after a tick`)
  t.equal(pace.dueAt(1000 + 4.1 * spacing), 1000 + 4.1 * spacing, 'after a quiet time')
})

await t.test('All rooms gather longer while the process is busy', async (t) => {
  t.ok(settled(0.2, 50, 0.25) >= 2 * settled(0.2, 50))
  t.ok(settled(0.2, 50, 1) > 10 * settled(0.2, 50))
})

await t.test('The load is the recent share of time in ticks', async (t) => {
  const load = new TickLoad(1000)
  t.equal(load.value, 0)
  for (let now = 1000; now < 3000; now += 10) load.add(5, now)
  t.ok(Math.abs(load.value - 0.5) < 0.05, `half of it: ${load.value}`)
  load.add(1, 60_000)
  t.ok(load.value < 0.01, 'after a quiet time there is no load')
})
