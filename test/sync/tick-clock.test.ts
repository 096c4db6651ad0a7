import { mock } from 'node:test'
import t from 'tap'
import { TickClock, type Ticking } from '../../src/sync/tick-clock.ts'

mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
t.teardown(() => { mock.timers.reset() })

let now = 1000
function pass (ms: number): void {
  for (let i = 0; i < ms; i++) {
    now++
    mock.timers.tick(1)
  }
}

/** Something that notes when it ticked. */
function ticking (notBefore: number, onTick?: () => void): Ticking & { at: number[] } {
  const at: number[] = []
  return { notBefore, at, tick: () => { at.push(now); onTick?.() } }
}

await t.test('what may tick now ticks in the next turn, all together', async (t) => {
  const clock = new TickClock(() => now)
  const [a, b] = [ticking(0), ticking(now)]
  clock.request(a)
  clock.request(b)
  t.same([a.at, b.at], [[], []])
  mock.timers.tick(0)
  t.same([a.at, b.at], [[now], [now]])
})

await t.test('others tick when they may, whoever asked first', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const dues = [50, 2, 30, 2.5, 10, 49.9]
  const all = dues.map((due) => ticking(from + due))
  for (const each of all) clock.request(each)
  pass(60)
  t.same(all.map(({ at }) => at), dues.map((due) => [from + Math.ceil(due)]))
})

await t.test('one that asks again for later does not hold up those that are due sooner', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const again = ticking(from + 40)
  const first = ticking(from + 2, () => { clock.request(again) })
  const second = ticking(from + 5)
  clock.request(first)
  clock.request(second)
  pass(60)
  t.same([first.at, second.at, again.at], [[from + 2], [from + 5], [from + 40]])
})

await t.test('an event loop that was blocked for long catches up at once', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const all = [1, 20, 50].map((due) => ticking(from + due))
  for (const each of all) clock.request(each)
  now += 500
  mock.timers.tick(1)
  t.same(all.map(({ at }) => at), [[now], [now], [now]])
  const later = ticking(now + 3)
  clock.request(later)
  pass(3)
  t.same(later.at, [now])
})

await t.test('nothing ticks after stop', async (t) => {
  const clock = new TickClock(() => now)
  const [a, b] = [ticking(0), ticking(now + 5)]
  clock.request(a)
  clock.request(b)
  clock.stop()
  pass(20)
  t.same([a.at, b.at], [[], []])
})
