import fc from 'fast-check'
import t from 'tap'
import { ConnectionLimits } from '../../src/sessions/connection-limits.ts'
import { RateLimit } from '../../src/sessions/rate-limit.ts'

await t.test('Sockets are limited in total, per address and per user; a closed socket makes room', async (t) => {
  const limits = new ConnectionLimits({ total: 4, perUser: 1, perAddress: 2, refusedPerAddress: 1 })
  t.same(['a', 'a', 'a', 'b', 'b', 'c'].map((address) => limits.enter(address)), [true, true, false, true, true, false])
  t.equal(limits.total, 4)
  limits.leave('a')
  t.same([limits.enter('b'), limits.enter('a'), limits.enter('c')], [false, true, false])
  t.same([limits.enterAs('u'), limits.enterAs('u'), limits.enterAs(undefined), limits.enterAs(undefined)], [true, false, true, true])
  limits.leaveAs('u')
  limits.leaveAs(undefined)
  t.ok(limits.enterAs('u'))
  t.same([limits.enterRefused('a'), limits.enterRefused('a'), limits.enterRefused('b')], [true, false, true])
  limits.leaveRefused('a')
  t.ok(limits.enterRefused('a'))
})

await t.test('0 means no limit', async (t) => {
  const limits = new ConnectionLimits({ total: 0, perUser: 0, perAddress: 0, refusedPerAddress: 0 })
  for (let i = 0; i < 1000; i++) t.ok(limits.enter('a') && limits.enterAs('u') && limits.enterRefused('a'))
  const rate = new RateLimit({ messagesPerSecond: 0, bytesPerSecond: 0, burstSeconds: 1 }, 0)
  for (let i = 0; i < 1000; i++) t.ok(rate.take(1e9, 0))
})

await t.test('A burst passes, and the rest waits for time to pass', async (t) => {
  const rate = new RateLimit({ messagesPerSecond: 10, bytesPerSecond: 1000, burstSeconds: 2 }, 0)
  for (let i = 0; i < 20; i++) t.ok(rate.take(10, 0))
  t.notOk(rate.take(10, 0), 'the 21st message')
  const bytes = new RateLimit({ messagesPerSecond: 0, bytesPerSecond: 1000, burstSeconds: 2 }, 0)
  t.ok(bytes.take(2000, 0))
  t.notOk(bytes.take(1, 0))
  t.ok(bytes.take(900, 1000))
})

await t.test('In any interval no more passes than the burst and the share of that time', async (t) => {
  const message = fc.record({ bytes: fc.nat(3000), after: fc.nat(500) })
  fc.assert(fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
    const rate = new RateLimit({ messagesPerSecond: 5, bytesPerSecond: 1000, burstSeconds: 3 }, 0)
    let now = 0
    let passed = 0
    for (const { bytes, after } of messages) {
      now += after
      if (!rate.take(bytes, now)) break
      passed += bytes
    }
    return passed <= 3000 + now
  }))
  t.pass()
})
