import fc from 'fast-check'
import t from 'tap'
import { Epochs } from '../../src/access/epochs.ts'

t.test('A reset revokes the verdicts made before it for its target, and no others', async (t) => {
  const epochs = new Epochs()
  const before = epochs.current
  epochs.reset('r', 'a')
  t.notOk(epochs.isCurrent(before, 'r', 'a'))
  t.ok(epochs.isCurrent(before, 'r', 'b'))
  t.ok(epochs.isCurrent(before, 'r', undefined), 'an anonymous visitor is not that user')
  t.ok(epochs.isCurrent(before, 's', 'a'))
  t.notOk(epochs.isUntouched(before, 'r'))
  t.ok(epochs.isUntouched(before, 's'))
  const between = epochs.current
  t.ok(epochs.isCurrent(between, 'r', 'a'), 'authorised after it')
  epochs.reset('r')
  for (const user of ['a', 'b', undefined]) t.notOk(epochs.isCurrent(between, 'r', user))
  t.ok(epochs.isCurrent(epochs.current, 'r', 'a'))
})

t.test('Names cannot be confused with each other', async (t) => {
  const epochs = new Epochs()
  epochs.reset('r', 'null')
  epochs.reset('r","a')
  t.ok(epochs.isCurrent(0, 'r', undefined))
  t.ok(epochs.isCurrent(0, 'r', 'a'))
})

t.test('Forgetting old resets revokes access, and never grants it', async () => {
  const room = fc.constantFrom('r', 's', 't')
  const user = fc.constantFrom('a', 'b', undefined)
  const steps = fc.array(fc.record({ room, user, isReset: fc.boolean() }), { maxLength: 40 })
  await fc.assert(fc.property(steps, fc.integer({ min: 2, max: 12 }), (steps, maxEntries) => {
    const [epochs, boundless] = [new Epochs(maxEntries), new Epochs()]
    const judged: Array<{
      room: string
      user: string | undefined
      epoch: number
      overtaken: boolean
      isTouched: boolean
    }> = []
    for (const { room, user, isReset } of steps) {
      if (isReset) {
        for (const each of [epochs, boundless]) each.reset(room, user)
        for (const verdict of judged) {
          if (verdict.room !== room) continue
          verdict.isTouched = true
          if (user === undefined || user === verdict.user) verdict.overtaken = true
        }
      } else judged.push({ room, user, epoch: epochs.current, overtaken: false, isTouched: false })
      for (const { room, user, epoch, overtaken, isTouched } of judged) {
        if (boundless.isCurrent(epoch, room, user) !== !overtaken) return false
        if (boundless.isUntouched(epoch, room) !== !isTouched) return false
        if (overtaken && epochs.isCurrent(epoch, room, user)) return false
        if (isTouched && epochs.isUntouched(epoch, room)) return false
      }
      const fresh = epochs.current
      if (!epochs.isCurrent(fresh, room, user) || !epochs.isUntouched(fresh, room)) return false
    }
    return true
  }))
})
