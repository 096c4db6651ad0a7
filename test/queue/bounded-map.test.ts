import t from 'tap'
import { BoundedMap } from '../../src/queue/bounded-map.ts'

await t.test('One entry too many drops the one that was set longest ago, and returns its value', async (t) => {
  const map = new BoundedMap<string, number>(2)
  t.equal(map.set('a', 1), undefined)
  t.equal(map.set('b', 2), undefined)
  t.equal(map.set('a', 3), undefined, 'setting a key again takes no more space')
  t.equal(map.set('c', 4), 2)
  t.strictSame([map.size, map.has('b'), map.get('a'), map.get('c')], [2, false, 3, 4])
  t.strictSame([...map.values()], [3, 4])
})

await t.test('A deleted entry makes room', async (t) => {
  const map = new BoundedMap<string, number>(1)
  map.set('a', 1)
  map.delete('a')
  t.equal(map.set('b', 2), undefined)
  map.clear()
  t.equal(map.size, 0)
})
