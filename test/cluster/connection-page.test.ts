import fc from 'fast-check'
import t from 'tap'
import {
  comparePlaces, decodePlace, encodePlace, joinPages, type NodeConnection, type NodeConnections, type Place,
} from '../../src/cluster/connection-page.ts'

const place: fc.Arbitrary<Place> = fc.record({ since: fc.nat(5), node: fc.constantFrom('a', 'b', 'c'), number: fc.nat(30) })
const different = { selector: ({ since, node, number }: Place) => `${since} ${node} ${number}` }
const few = fc.integer({ min: 1, max: 9 })
const connectionAt = (at: Place): NodeConnection => ({ ...at, userId: undefined, canEdit: true, protocol: 'hocuspocus', presence: [] })

t.test('Pages hold each connection once, in order, however short the lists of the nodes are', async (t) => {
  fc.assert(fc.property(fc.uniqueArray(place, different), few, fc.infiniteStream(few), (places, limit, lengths) => {
    const all = places.sort(comparePlaces)
    const listOf = (node: string, after: Place | undefined): NodeConnections => {
      const wanted = all.filter((each) => each.node === node && (after === undefined || comparePlaces(each, after) > 0))
      const connections = wanted.slice(0, Math.min(limit, lengths.next().value)).map(connectionAt)
      return { connections, isComplete: connections.length === wanted.length }
    }
    const paged: NodeConnection[] = []
    let after: Place | undefined
    do {
      const { connections, next } = joinPages(['c', 'a', 'b'].map((node) => listOf(node, after)), limit)
      if (connections.length > limit) throw new Error('A page is longer than its limit')
      if (connections.length === 0 && (next !== undefined || after !== undefined)) throw new Error('A page is empty')
      paged.push(...connections)
      after = next
    } while (after !== undefined)
    t.same(paged, all.map(connectionAt))
  }))
})

t.test('A cursor is read as it was written, and nothing else is one', async (t) => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.string({ unit: 'grapheme' }), fc.maxSafeNat(), (since, node, number) => {
    const text = encodePlace({ since, node, number })
    t.match(text, /^[\w-]+$/)
    t.same(decodePlace(text), { since, node, number })
  }))
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const text of ['', 'x', encoded(null), encoded({}), encoded([1, 2]), encoded([-1, 2, 'a']), encoded([1, 2.5, 'a']), encoded([1, 2, 3])]) {
    t.equal(decodePlace(text), undefined, text)
  }
})
