import t from 'tap'
import { misspelt, slips } from '../../src/settings/misspelt.ts'
import { build } from '../helper.ts'

await t.test('Misspelt names are found', async (t) => {
  for (const [given, meant] of [
    ['COLLABORATION_SERVER_SECRT', 'COLLABORATION_SERVER_SECRET'],
    ['COLABORATION_SERVER_ORIGINS', 'COLLABORATION_SERVER_ORIGIN'],
    ['collaboration_server_origin', 'COLLABORATION_SERVER_ORIGIN'],
    ['COLLABORATION_SERVER_SECRET_FLIE', 'COLLABORATION_SERVER_SECRET_FILE'],
    ['Y_PROVIDER_APIKEY', 'Y_PROVIDER_API_KEY'],
    ['MAX_CONNECTION', 'MAX_CONNECTIONS'],
  ] as const) {
    t.same(misspelt({ [given]: 'x' }), [{ given, meant }])
  }
})

await t.test('Names of other programs are ignored', async (t) => {
  const others = ['HOME', 'POST', 'HOSTS', 'PATH', 'COLLABORATION_API_URL', 'COLLABORATION_WS_URL', 'Y_PROVIDER_PORT', 'Y_PROVIDER_SERVICE_HOST', 'Y_PROVIDER_API_BASE_URL', 'DJANGO_SECRET_KEY', 'LOG_LEVELS_OF_OTHERS']
  t.same(misspelt(Object.fromEntries(others.map((name) => [name, 'x']))), [])
  t.same(misspelt({ MAX_CONNECTION: '1', MAX_CONNECTIONS: '1' }), [], 'the correct name is set as well')
})

await t.test('A misspelling is one letter added, missing, changed or swapped', async (t) => {
  t.same(['LEVEL', 'LEVL', 'LEVVEL', 'LEVAL', 'LEEVL', 'LEVLE'].map((name) => slips(name, 'LEVEL')), [0, 1, 1, 1, 1, 1])
  t.ok(slips('ABCDE', 'VWXYZ') > 2)
  t.ok(slips('A', 'ABCDEF') > 2)
})

await t.test('The service names them in a warning and starts', async (t) => {
  const lines: string[] = []
  await build(t, { COLLABORATION_SERVER_SECRET_PREVIOS: 'x' }, { write: (line) => { lines.push(line) } })
  t.match(lines.join(''), 'COLLABORATION_SERVER_SECRET_PREVIOS is not a setting of this service and is ignored: did you mean COLLABORATION_SERVER_SECRET_PREVIOUS?')
})
