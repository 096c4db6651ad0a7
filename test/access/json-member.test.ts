import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { JsonMember } from '../../src/access/json-member.ts'

const seed = Number(process.env['JSON_SEED'] ?? 7)
const parameters = { seed, numRuns: 2000 }

/** The result of the reader for a text in pieces of so many bytes: its member, or that it is malformed. */
function read (text: string | Buffer, pieceBytes = 1 << 16): { value: unknown } | 'malformed' {
  const bytes = Buffer.from(text as string)
  const member = new JsonMember('abilities')
  for (let from = 0; from < bytes.length; from += pieceBytes) member.write(bytes.subarray(from, from + pieceBytes))
  return orMalformed(() => member.value())
}

/** The expected result, from the whole text at once. */
function parse (text: string | Buffer): { value: unknown } | 'malformed' {
  return orMalformed(() => {
    const whole: unknown = JSON.parse(text.toString())
    const isObject = typeof whole === 'object' && whole !== null && !Array.isArray(whole)
    return isObject && Object.hasOwn(whole, 'abilities') ? (whole as Record<string, unknown>)['abilities'] : undefined
  })
}

function orMalformed (make: () => unknown): { value: unknown } | 'malformed' {
  try {
    return { value: make() }
  } catch (error) {
    if (error instanceof SyntaxError) return 'malformed'
    throw error
  }
}

const texts = [
  '{"abilities":{"retrieve":true}}', ' { "abilities" : [ 1 , { } ] } ', '{"a":{"abilities":1}}', '{"a":[{"abilities":1}],"abilities":2}', '[{"abilities":1}]',
  '{"abilities":1,"abilities":2}', '{"abilities":2,"abilities":null}', '{"abil\\u0069ties":3}', '{"\\u0061bilities":4,"b":0}', '{"abilities\\u0000":1}', '{"a":"\\"abilities\\":9"}',
  '{"a":"\\\\","abilities":5}', '{"a":"{[\\"abilities\\":1","abilities":6}', '{"Abilities":1}', '{"abilities":"\\ud800 é 😀"}', '{"":1,"abilities":-0.5e-7}', '{"abilities":{"__proto__":1}}',
  '', ' ', '{', '}', '{}', '[]', '[1,]', '{"a":1,}', '{,}', '{"a"}', '{"a":}', '{"a" 1}', '{1:2}', "{'a':1}", '[1}', '{"a":1]', '{}{}', '{},', '1 2', 'nul', 'nulll', 'true', 'True', 'NaN', '-', '-1', '01', '1.', '.5', '1e', '1e+', '1E+05',
  '+1', '"a', '"a\nb"', '"\\x"', '"\\u12g4"', '"\\u12"', '"\u007f"', '\ufeff{}', '\u00a0{}', '{"abilities":tru}', '{"abilities":1', '<html>', '//', '{"abilities":1}\0', '0x1', '[1 1]', ':', '["a":1]',
]

t.test('Reads what JSON.parse reads, wherever the chunks end', async (t) => {
  for (const text of texts) {
    for (const pieceBytes of [1, 2, 3, 7, 1 << 16]) t.same(read(text, pieceBytes), parse(text), `${JSON.stringify(text)} by ${pieceBytes}`)
  }
})

const keys = fc.oneof(fc.constant('abilities'), fc.string())
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.array(tie('tree'), { maxLength: 4 }), fc.dictionary(keys, tie('tree'), { maxKeys: 4 })),
}))
const printed = fc.tuple(tree, fc.constantFrom(undefined, 1, '\t')).map(([value, space]) => JSON.stringify(value, null, space))

t.test(`Agrees with JSON.parse about random values, duplicated keys and truncated texts, seed ${seed}`, async () => {
  const members = fc.array(fc.tuple(keys, printed), { maxLength: 5 })
  const objects = members.map((list) => `{${list.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`)
  fc.assert(fc.property(objects, fc.integer({ min: 1, max: 9 }), fc.nat(), (text, pieceBytes, cut) => {
    assert.deepEqual(read(text, pieceBytes), parse(text))
    const truncated = Buffer.from(text).subarray(0, cut % text.length)
    assert.deepEqual(read(truncated, pieceBytes), parse(truncated))
  }), { ...parameters, numRuns: 500 })
})

t.test(`Agrees with JSON.parse about malformed texts, seed ${seed}`, async () => {
  const tokens = fc.constantFrom('{', '}', '[', ']', ',', ':', '"abilities"', '"', '\\', '\\u00', 'e', '-', '.', '0', '12', 'true', 'null', ' ', '\n', '\t', '\x01', 'é')
  fc.assert(fc.property(fc.array(tokens, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (parts, pieceBytes) => {
    assert.deepEqual(read(parts.join(''), pieceBytes), parse(parts.join('')))
  }), parameters)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
    assert.deepEqual(read(Buffer.from(bytes), 1), parse(Buffer.from(bytes)))
  }), parameters)
})

t.test('Holds one key or the value at a time, and never more than 64 KiB', async (t) => {
  const long = 'x'.repeat(32 * 1024 * 1024)
  const cases: Array<[text: string, value: unknown, mostHeld: number]> = [
    [`{"content":"${long}","abilities":{"retrieve":true}}`, { retrieve: true }, 16],
    [`{"abilities":{"retrieve":true},"content":"${long}"}`, { retrieve: true }, 20],
    [`{"${long}":1,"abilities":true}`, true, 64 * 1024],
    [`{"abilities":true,"abilities":"${long}"}`, undefined, 64 * 1024],
    [`{"list":[${'1,'.repeat(1024 * 1024)}1],"abilities":true}`, true, 16],
  ]
  for (const [text, value, mostHeld] of cases) {
    const member = new JsonMember('abilities')
    const bytes = Buffer.from(text)
    let most = 0
    for (let from = 0; from < bytes.length; from += 1000) {
      member.write(bytes.subarray(from, from + 1000))
      most = Math.max(most, member.heldBytes)
    }
    t.same(member.value(), value, text.slice(0, 30))
    t.ok(most <= mostHeld, `${text.slice(0, 30)} holds ${most} bytes`)
    t.equal(member.heldBytes, 0)
  }
})

t.test('Nesting is bounded', async (t) => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)},"abilities":1}`
  t.same(read(nested(9_999)), { value: 1 })
  t.equal(read(nested(10_000)), 'malformed')
  t.equal(read('['.repeat(1024 * 1024)), 'malformed')
})
