import t from 'tap'
import { Backoff } from '../../src/sync/save/backoff.ts'

const minute = 60_000
const day = 24 * 60 * minute

t.test('The delay doubles with each failure up to a day, and a success resets it', async (t) => {
  let now = 0
  const backoff = new Backoff(() => now)
  t.notOk(backoff.isWaiting('a'))
  const waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].map((minutes) => minutes * minute)
  for (const wait of [...waits, day, day]) {
    t.equal(backoff.failed('a'), wait)
    now += wait - 1
    t.ok(backoff.isWaiting('a'))
    now += 1
    t.notOk(backoff.isWaiting('a'))
    t.ok(backoff.has('a'))
  }
  t.notOk(backoff.has('b'), 'other documents are not affected')
  backoff.succeeded('a')
  t.notOk(backoff.has('a'))
  t.equal(backoff.failed('a'), minute)
})

t.test('If too many names have failed, the one that failed longest ago is forgotten', async (t) => {
  const backoff = new Backoff(() => 0)
  for (let i = 0; i < 10_000; i++) backoff.failed(`${i}`)
  backoff.failed('0')
  backoff.failed('one more')
  t.equal(backoff.size, 10_000)
  t.ok(backoff.has('0'))
  t.notOk(backoff.has('1'))
})
