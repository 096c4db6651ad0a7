import t from 'tap'
import { AwarenessUpdate, encodeAwareness } from '../../src/protocol/awareness.ts'
import { AwarenessTable, type StateSender } from '../../src/sync/presence/awareness-table.ts'
import { personOf } from '../../src/sync/presence/claim.ts'

const sender = (userId: string | undefined, joinedAt: number): StateSender => {
  return { person: personOf(userId, undefined), joinedAt }
}
const said = (clientId: number, clock: number, state: string): AwarenessUpdate =>
  new AwarenessUpdate(encodeAwareness([{ clientId, clock, state }]))

for (const isKnown of [true, false]) {
  t.test(`An echo by other clients does not bring back the cursor of ${isKnown ? 'a known' : 'an anonymous'} user who has left`, (t) => {
    const table = new AwarenessTable()
    const [ada, grace] = [sender(isKnown ? 'ada' : undefined, 1), sender(isKnown ? 'grace' : undefined, 2)]
    table.apply(said(7, 3, '{"name":"Ada"}'), ada, 1000, 10)
    table.leave(ada, 20)
    t.same(table.present(), [])
    t.equal(table.apply(said(7, 3, '{"name":"Ada"}'), grace, 1000, 21), 1, 'dropped and counted')
    t.same(table.present(), [], 'Grace was present before Ada left')

    const adaAgain = sender(isKnown ? 'ada' : undefined, 30)
    t.equal(table.apply(said(7, 3, '{"name":"Ada"}'), adaAgain, 1000, 31), 0)
    t.match(table.present(), [{ clientId: 7, clock: 4 }], 'a client that reconnects with its old clock is relayed, one clock higher')
    t.end()
  })
}

t.test('Another tab of the same person that echoes the first neither takes it over nor brings it back', (t) => {
  const table = new AwarenessTable()
  const [first, second] = [sender('ada', 1), sender('ada', 2)]
  table.apply(said(8, 1, '{"tab":2}'), second, 1000, 5)
  table.apply(said(7, 3, '{"tab":1}'), first, 1000, 10)
  for (const echo of ['{"tab":1}', 'null']) t.equal(table.apply(said(7, 3, echo), second, 1000, 11), 1)
  table.leave(second, 12)
  t.match(table.present(), [{ clientId: 7, state: '{"tab":1}' }], 'the first tab stays')
  table.leave(first, 13)
  t.same(table.present(), [])
  t.end()
})
