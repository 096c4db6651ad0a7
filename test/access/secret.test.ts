import t from 'tap'
import { createSecretCheck } from '../../src/access/secret.ts'

const CURRENT = 'current-secret-0123456789'
const PREVIOUS = 'previous-secret-0123456789'

t.test('every secret in use is accepted, as it is', async (t) => {
  const isSecret = createSecretCheck([CURRENT, PREVIOUS])
  t.equal(isSecret(CURRENT), true)
  t.equal(isSecret(PREVIOUS), true)
})

t.test('anything else is refused', async (t) => {
  const isSecret = createSecretCheck([CURRENT, ''])
  for (const given of [undefined, '', ' ', `Bearer ${CURRENT}`, CURRENT.toUpperCase(), `${CURRENT} `, CURRENT.slice(1), PREVIOUS]) {
    t.equal(isSecret(given), false, String(given))
  }
})

t.test('without a secret nobody is let in, not even with an empty one', async (t) => {
  t.equal(createSecretCheck([])(undefined), false)
  t.equal(createSecretCheck([''])(''), false)
})
