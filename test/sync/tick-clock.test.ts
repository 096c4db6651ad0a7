import { mock } from 'node:test'
import t from 'tap'
import { TickClock, type Ticking } from '../../src/sync/tick/tick-clock.ts'

mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
t.teardown(() => { mock.timers.reset() })

let now = 1000
function pass (ms: number): void {
  for (let i = 0; i < ms; i++) {
    now++
    mock.timers.tick(1)
  }
}

/** A room that records when it ticked. */
function ticking (onTick?: () => void): Ticking & { at: number[] } {
  const at: number[] = []
  return { at, tick: () => { at.push(now); onTick?.() } }
}

await t.test('All rooms that are due tick together, in the next turn', async (t) => {
  const clock = new TickClock(() => now)
  const [a, b] = [ticking(), ticking()]
  clock.request(a, 0)
  clock.request(b, now)
  t.same([a.at, b.at], [[], []])
  mock.timers.tick(0)
  t.same([a.at, b.at], [[now], [now]])
})

await t.test('Each room ticks when it is due, in whatever order they asked', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const dues = [50, 2, 30, 2.5, 10, 49.9]
  const all = dues.map((due) => {
    const each = ticking()
    clock.request(each, from + due)
    return each
  })
  pass(60)
  t.same(all.map(({ at }) => at), dues.map((due) => [from + Math.floor(due)]))
})

await t.test('A room that asks for a later tick does not delay those that are due sooner', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const again = ticking()
  const first = ticking(() => { clock.request(again, from + 40) })
  const second = ticking()
  clock.request(first, from + 2)
  clock.request(second, from + 5)
  pass(60)
  t.same([first.at, second.at, again.at], [[from + 2], [from + 5], [from + 40]])
})

await t.test('After the event loop was blocked for long, the clock catches up at once', async (t) => {
  const clock = new TickClock(() => now)
  const from = now
  const all = [1, 20, 50].map((due) => {
    const each = ticking()
    clock.request(each, from + due)
    return each
  })
  now += 500
  mock.timers.tick(1)
  t.same(all.map(({ at }) => at), [[now], [now], [now]])
  const later = ticking()
  clock.request(later, now + 3)
  pass(3)
  t.same(later.at, [now])
})

await t.test('Nothing ticks after stop', async (t) => {
  const clock = new TickClock(() => now)
  const [a, b] = [ticking(), ticking()]
  clock.request(a, 0)
  clock.request(b, now + 5)
  clock.stop()
  pass(20)
  t.same([a.at, b.at], [[], []])
})
