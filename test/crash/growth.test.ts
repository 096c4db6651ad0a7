import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import * as Y from 'yjs'
import { Visitor } from '../../bench/durability/visitor.ts'
import { build } from '../helper.ts'
import { series } from './random.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag above defines it

const { isLong } = series(1)
const MiB = 1024 * 1024

t.test('A thousand reconnects of a client without changes add nothing to the log', async (t) => {
  const app = await build(t)
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'typed '.repeat(100))
  doc.getText('text').delete(10, 50)
  const state = Y.encodeStateAsUpdate(doc)
  for (let time = 0; time <= 1000; time++) {
    const visitor = await Visitor.join(app.rooms, 'returned to', doc)
    visitor.update(state)
    visitor.leave()
  }
  await app.rooms.flushed()
  const stored = await app.store.load('returned to')
  t.same({ entries: stored?.log.length, lastSeq: stored?.lastSeq }, { entries: 1, lastSeq: 1 })
})

t.test('Opening and closing documents leaks no memory', async (t) => {
  const app = await build(t)
  const cycles = async (count: number): Promise<number> => {
    for (let cycle = 0; cycle < count; cycle++) {
      const visitor = await Visitor.join(app.rooms, `document ${cycle % 100}`)
      visitor.leave()
    }
    await app.rooms.flushed()
    await app.rooms.compactionIdle()
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  await cycles(500)
  const before = await cycles(500)
  const count = isLong ? 100_000 : 3000
  const after = await cycles(count)
  t.equal(app.rooms.openRooms, 0)
  // The short series detects a leaked room, connection or document; the long one a leak of 40 bytes per cycle.
  t.ok(after - before < 4 * MiB, `${Math.round((after - before) / 1024)} KiB more after ${count} cycles`)
})
