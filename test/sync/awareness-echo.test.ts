import t from 'tap'
import { AwarenessTable, type AwarenessOwner } from '../../src/sync/awareness-table.ts'

const person = (joinedAt: number): AwarenessOwner => ({ node: undefined, person: joinedAt, joinedAt, mayTakeFrom: () => false })

t.test('what others echo of somebody who has left does not bring the cursor back', (t) => {
  const table = new AwarenessTable()
  const [ada, grace] = [person(1), person(2)]
  table.apply([{ clientId: 7, clock: 3, state: '{"name":"Ada"}' }], ada, 32, 10)
  table.leave(ada, 20)
  t.same(table.present(), [])
  t.equal(table.apply([{ clientId: 7, clock: 3, state: '{"name":"Ada"}' }], grace, 32, 21), 1, 'dropped and counted')
  t.same(table.present(), [], 'Grace was there before Ada left')

  const adaAgain = person(30)
  t.equal(table.apply([{ clientId: 7, clock: 3, state: '{"name":"Ada"}' }], adaAgain, 32, 31), 0)
  t.match(table.present(), [{ clientId: 7, clock: 4 }], 'she who comes back with her old clock is heard, one clock on')
  t.end()
})
