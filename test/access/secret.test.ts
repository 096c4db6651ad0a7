import t from 'tap'
import { createHttpCheck, createSecretCheck } from '../../src/access/secret-check.ts'

const current = 'current-secret-0123456789'
const previous = 'previous-secret-0123456789'

t.test('Every secret in use is accepted as it is', async (t) => {
  const isSecret = createSecretCheck([current, previous])
  t.equal(isSecret(current), true)
  t.equal(isSecret(previous), true)
})

t.test('Any other value is rejected', async (t) => {
  const isSecret = createSecretCheck([current, ''])
  for (const given of [undefined, '', ' ', `Bearer ${current}`, current.toUpperCase(), `${current} `, current.slice(1), previous]) {
    t.equal(isSecret(given), false, String(given))
  }
})

t.test('Without a secret in the settings nobody is admitted, not even with an empty one', async (t) => {
  t.equal(createSecretCheck([])(undefined), false)
  t.equal(createSecretCheck([''])(''), false)
})

t.test('On HTTP the API key is accepted raw and as Bearer, a secret only raw', async (t) => {
  const key = 'key-of-conversion'
  const table: Array<[apiKey: string, authorization: string | undefined, opens: boolean]> = [
    [key, undefined, false],
    [key, key, true],
    ...['Bearer', 'bearer', 'BEARER', 'bEaReR', 'Bearer  '].map((scheme): [string, string, boolean] => [key, `${scheme} ${key}`, true]),
    ...['Basic', 'Token', 'Bearer Bearer', 'Bearer,', '', 'XBearer'].map((scheme): [string, string, boolean] => [key, `${scheme} ${key}`, false]),
    ...[`Bearer${key}`, `Bearer ${key.toUpperCase()}`, `Bearer ${key}x`, `Bearer ${key}, Bearer ${key}`, `Bearer "${key}"`, 'Bearer', 'Bearer '].map((given): [string, string, boolean] => [key, given, false]),
    ...['', key, current, previous, `Bearer ${current}`].flatMap((apiKey): Array<[string, string, boolean]> => [current, previous].flatMap((secret): Array<[string, string, boolean]> => [
      [apiKey, secret, true], [apiKey, `Bearer ${secret}`, false], [apiKey, `bearer ${secret}`, false],
    ])),
    ['', '', false], ['', 'Bearer', false], ['', 'Bearer ', false],
    [`Bearer ${key}`, `Bearer ${key}`, true],
    [`Bearer ${key}`, key, false],
  ]
  for (const [apiKey, authorization, opens] of table) {
    t.equal(createHttpCheck([current, previous, ''], apiKey)(authorization), opens, `${authorization} where the key is ${apiKey}`)
  }
})
