import t from 'tap'
import { TickLoad } from '../../src/sync/tick-load.ts'
import { spacingOf } from '../../src/sync/tick-spacing.ts'

const most = 50

/** Where the pause of a room settles whose tick costs so many ms and that gets an update every `everyMs`. */
function settled (costMs: number, everyMs: number, load = 0): number {
  let pause = 0
  for (let round = 0; round < 100; round++) pause = spacingOf({ costMs, merged: Math.max(1, pause / everyMs), load }, most)
  return pause
}

await t.test('a small room hardly pauses; a room of a hundred gathers what some people type meanwhile', async (t) => {
  t.ok(settled(0.03, 500) < 2, 'two people')
  t.ok(settled(0.2, 50) < 10, 'twenty')
  const hundred = settled(0.8, 10)
  t.ok(hundred > 10 && hundred < 25, `a hundred: ${hundred}`)
})

await t.test('the more arrives, the more goes into one tick, and never is the pause too long', async (t) => {
  t.ok(settled(0.4, 2) > settled(0.4, 20))
  t.equal(settled(0.8, 1), most)
  t.equal(spacingOf({ costMs: 1000, merged: 1000, load: 1 }, most), most)
  t.equal(spacingOf({ costMs: 1000, merged: 1000, load: 1 }, 0), 0)
})

await t.test('all rooms pause longer where the process has much to do', async (t) => {
  t.ok(settled(0.2, 50, 0.25) >= 2 * settled(0.2, 50))
  t.equal(settled(0.2, 50, 1), most)
})

await t.test('the load is the share of time in ticks, of late', async (t) => {
  const load = new TickLoad(1000)
  t.equal(load.value, 0)
  for (let now = 1000; now < 3000; now += 10) load.add(5, now)
  t.ok(Math.abs(load.value - 0.5) < 0.05, `half of it: ${load.value}`)
  load.add(1, 60_000)
  t.ok(load.value < 0.01, 'after a quiet time nothing is left of it')
})
