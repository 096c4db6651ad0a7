import fc from 'fast-check'
import t from 'tap'
import { comparePlaces, type NodeConnections } from '../../src/cluster/connection-page.ts'
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion, type Question } from '../../src/cluster/question.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const number = fc.maxSafeNat()
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const place = fc.record({ since: number, node: text, number })
const question: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ type: fc.constant('reset' as const), room: text, userId: maybe(text) }),
  fc.record({ type: fc.constant('count' as const), room: text, sessionKey: text }),
  fc.record({ type: fc.constant('sizes' as const), rooms: fc.array(text) }),
  fc.record({ type: fc.constant('connections' as const), room: text, after: maybe(place), limit: fc.nat() })
)
// JSON has one zero.
const state = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const connection = fc.record({
  userId: maybe(text),
  canEdit: fc.boolean(),
  since: number,
  number,
  node: text,
  protocol: fc.constantFrom('y-websocket' as const, 'hocuspocus' as const),
  presence: fc.array(fc.record({ clientId: number, state }), { maxLength: 3 }),
})
const listed: fc.Arbitrary<NodeConnections> = fc.array(connection, { maxLength: 5 }).map((connections) => {
  return { connections: connections.sort(comparePlaces), isComplete: connections.length % 2 === 0 }
})

t.test('Questions are read as they were written', async (t) => {
  fc.assert(fc.property(question, (asked) => {
    t.same(decodeQuestion(encodeQuestion({ question: asked, ageMs: 0 })), { question: asked, ageMs: 0 })
  }))
})

t.test('Answers are read as they were written', async (t) => {
  fc.assert(fc.property(fc.array(number), (sizes) => {
    t.same(decodeAnswer('sizes', encodeAnswer(sizes)), sizes)
  }))
  fc.assert(fc.property(listed, (page) => {
    t.same(decodeAnswer('connections', encodeAnswer(page)), JSON.parse(JSON.stringify(page)))
  }))
  for (const type of ['reset', 'count', 'sizes', 'connections'] as const) t.equal(decodeAnswer(type, 'null'), undefined)
})

t.test('A question or an answer of another form is rejected', async (t) => {
  for (const asked of [
    { type: 'sizes', rooms: 'a' },
    { type: 'sizes', rooms: ['a', 1] },
    { type: 'sizes', room: 'a' },
    { type: 'connections', room: 'a' },
    { type: 'connections', room: 'a', limit: 1, after: 'b' },
    { type: 'connections', room: 'a', limit: 1, after: { since: -1, number: 1, node: 'a' } },
    { type: 'connections', room: 'a', limit: 1, after: { since: 1, number: 1 } },
    { type: 'connections', limit: 1 },
    { type: 'unknown', room: 'a' },
  ]) t.throws(() => decodeQuestion(JSON.stringify(asked)), { name: 'MalformedQuestion' }, JSON.stringify(asked))
  const one = { canEdit: true, since: 1, number: 1, node: 'a', protocol: 'hocuspocus', presence: [{ clientId: 1, state: {} }] }
  t.ok(decodeAnswer('connections', JSON.stringify({ connections: [one], isComplete: false })))
  for (const answer of [
    { connections: [one] },
    { connections: [], isComplete: false },
    ...Object.keys(one).map((key) => ({ connections: [{ ...one, [key]: undefined }], isComplete: true })),
    { connections: [{ ...one, userId: 1 }], isComplete: true },
    { connections: [{ ...one, presence: [{ state: 1 }] }], isComplete: true },
    { connections: [null], isComplete: true },
  ]) t.throws(() => decodeAnswer('connections', JSON.stringify(answer)), { name: 'MalformedQuestion' }, JSON.stringify(answer))
  for (const answer of [1, {}, ['a']]) t.throws(() => decodeAnswer('sizes', JSON.stringify(answer)), { name: 'MalformedQuestion' })
  t.throws(() => decodeAnswer('sizes', '{'), { name: 'MalformedQuestion' })
})
