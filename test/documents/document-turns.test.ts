import t from 'tap'
import { DocumentTurns } from '../../src/documents/document-turns.ts'
import { until } from '../sync/engine.ts'
import { Gate } from '../sync/gate.ts'

/** Writes that wait until the test lets them finish. */
class Writes {
  readonly gate = new Gate()
  readonly started: string[] = []
  readonly turns = new DocumentTurns()

  constructor () { this.gate.shut() }

  async start (document: string, name: string, bytes = 0): Promise<string> {
    return await this.turns.run(document, bytes, async () => {
      this.started.push(name)
      await this.gate.pass()
      return name
    })
  }
}

await t.test('The writes of one document run one after the other, in their order', async (t) => {
  const writes = new Writes()
  const all = Promise.all(['1', '2', '3'].map((name) => writes.start('a', name)))
  for (const count of [1, 2, 3]) {
    await until(() => writes.started.length === count && writes.gate.waiting === 1)
    writes.gate.openOnce()
  }
  t.same(await all, ['1', '2', '3'])
  t.same(writes.started, ['1', '2', '3'])
})

await t.test('A few documents are written at a time, and a storm on one does not hold back the others', async (t) => {
  const writes = new Writes()
  const storm = Array.from({ length: 100 }, (_, at) => writes.start('a', `a${at}`))
  const others = ['b', 'c', 'd', 'e', 'f'].map((document) => writes.start(document, document))
  await until(() => writes.gate.waiting === 4)
  t.same(writes.started, ['a0', 'b', 'c', 'd'])
  writes.gate.open()
  t.equal((await Promise.all([...storm, ...others])).length, 105)
})

await t.test('Too many writes are refused: of one document, of all, and by their bytes', async (t) => {
  const busy = { name: 'DocumentFailure', reason: 'busy' }
  const one = new Writes()
  const ofOne = Array.from({ length: 201 }, (_, at) => one.start('a', `${at}`))
  await t.rejects(one.start('a', 'too many'), busy)
  const other = one.start('b', 'b')
  const all = new Writes()
  const ofAll = Array.from({ length: 1000 }, (_, at) => all.start(`${at}`, `${at}`))
  await t.rejects(all.start('another', 'too many'), busy)
  const large = new Writes()
  const bytes = 200 * 1024 * 1024
  const first = large.start('a', 'first', bytes)
  await t.rejects(large.start('b', 'too large', bytes), busy)
  for (const { gate } of [one, all, large]) gate.open()
  await Promise.all([...ofOne, other, ...ofAll, first])
  t.equal(await large.start('b', 'later', bytes), 'later', 'when there is room again')
  t.equal(await one.start('a', 'later'), 'later')
})

await t.test('A write that fails makes way for the next one', async (t) => {
  const turns = new DocumentTurns()
  await t.rejects(turns.run('a', 1, () => Promise.reject(new Error('no'))), { message: 'no' })
  t.equal(await turns.run('a', 1, async () => 'next'), 'next')
})
