import t from 'tap'
import { createHttpCheck, createSecretCheck } from '../../src/access/secret-check.ts'

const CURRENT = 'current-secret-0123456789'
const PREVIOUS = 'previous-secret-0123456789'

t.test('Every secret in use is accepted as it is', async (t) => {
  const isSecret = createSecretCheck([CURRENT, PREVIOUS])
  t.equal(isSecret(CURRENT), true)
  t.equal(isSecret(PREVIOUS), true)
})

t.test('Any other value is rejected', async (t) => {
  const isSecret = createSecretCheck([CURRENT, ''])
  for (const given of [undefined, '', ' ', `Bearer ${CURRENT}`, CURRENT.toUpperCase(), `${CURRENT} `, CURRENT.slice(1), PREVIOUS]) {
    t.equal(isSecret(given), false, String(given))
  }
})

t.test('Without a secret in the settings nobody is admitted, not even with an empty one', async (t) => {
  t.equal(createSecretCheck([])(undefined), false)
  t.equal(createSecretCheck([''])(''), false)
})

t.test('On HTTP the API key is accepted raw and as Bearer, a secret only raw', async (t) => {
  const KEY = 'key-of-conversion'
  const table: Array<[apiKey: string, authorization: string | undefined, opens: boolean]> = [
    [KEY, undefined, false],
    [KEY, KEY, true],
    ...['Bearer', 'bearer', 'BEARER', 'bEaReR', 'Bearer  '].map((scheme): [string, string, boolean] => [KEY, `${scheme} ${KEY}`, true]),
    ...['Basic', 'Token', 'Bearer Bearer', 'Bearer,', '', 'XBearer'].map((scheme): [string, string, boolean] => [KEY, `${scheme} ${KEY}`, false]),
    ...[`Bearer${KEY}`, `Bearer ${KEY.toUpperCase()}`, `Bearer ${KEY}x`, `Bearer ${KEY}, Bearer ${KEY}`, `Bearer "${KEY}"`, 'Bearer', 'Bearer '].map((given): [string, string, boolean] => [KEY, given, false]),
    ...['', KEY, CURRENT, PREVIOUS, `Bearer ${CURRENT}`].flatMap((apiKey): Array<[string, string, boolean]> => [CURRENT, PREVIOUS].flatMap((secret): Array<[string, string, boolean]> => [
      [apiKey, secret, true], [apiKey, `Bearer ${secret}`, false], [apiKey, `bearer ${secret}`, false],
    ])),
    ['', '', false], ['', 'Bearer', false], ['', 'Bearer ', false],
    [`Bearer ${KEY}`, `Bearer ${KEY}`, true],
    [`Bearer ${KEY}`, KEY, false],
  ]
  for (const [apiKey, authorization, opens] of table) {
    t.equal(createHttpCheck([CURRENT, PREVIOUS, ''], apiKey)(authorization), opens, `${authorization} where the key is ${apiKey}`)
  }
})
