import t from 'tap'
import { PieceCache } from '../../src/sync/join/piece-cache.ts'

const mebibyte = 1024 * 1024

/** A cache, and the number of frames that had to be encoded. */
function counting () {
  const cache = new PieceCache()
  let made = 0
  return {
    cache,
    get made () { return made },
    get: (key: string, bytes: number) => cache.get(key, async () => { made++; return Buffer.alloc(bytes) }),
  }
}

await t.test('A frame is encoded once for all that need it', async (t) => {
  const counted = counting()
  const [first, second] = await Promise.all([counted.get('a', 10), counted.get('a', 10)])
  t.equal(first, second)
  t.equal(counted.made, 1)
})

await t.test('The oldest entries are evicted, however small they are and however large the new one is', async (t) => {
  const counted = counting()
  for (let index = 0; index < 100; index++) await counted.get(`small ${index}`, 1000)
  for (let index = 0; index < 40; index++) await counted.get(`large ${index}`, mebibyte)
  t.equal(counted.made, 140)
  await counted.get('large 39', mebibyte)
  t.equal(counted.made, 140, 'the newest is present')
  let held = 0
  for (let index = 39; index >= 0; index--) {
    const before = counted.made
    const here = counted.cache.get(`large ${index}`, async () => { throw new Error('not here') })
    if (await here.then(() => true, () => false)) held++
    t.equal(counted.made, before)
  }
  t.ok(held >= 16 && held <= 32, `${held} MiB of 40 are present`)
})

await t.test('An entry that is encoded while the cache is cleared is not kept', async (t) => {
  const counted = counting()
  let finish = (_frame: Buffer): void => {}
  const slow = counted.cache.get('slow', async () => await new Promise((resolve) => { finish = resolve }))
  counted.cache.clear()
  finish(Buffer.alloc(40 * mebibyte))
  await slow
  await counted.get('a', 10)
  await counted.get('a', 10)
  t.equal(counted.made, 1)
  await counted.get('slow', 10)
  t.equal(counted.made, 2)
})
