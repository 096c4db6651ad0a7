import fc from 'fast-check'
import t, { type Test } from 'tap'
import { readSettings } from '../../src/plugins/env.ts'
import { roomNamePattern, trustedProxies, webOrigin } from '../../src/settings/derived.ts'
import { formats } from '../../src/settings/formats.ts'
import { settings } from '../../src/settings/prepare.ts'
import { build } from '../helper.ts'

const secret = { COLLABORATION_SERVER_SECRET: 'a-secret-that-only-tests-know' }
const read = (environment: Record<string, string> = {}) => readSettings({ ...secret, ...environment })

/** The warnings of a service that starts with these settings. */
async function warnings (t: Test, environment: Record<string, string> = {}): Promise<string[]> {
  const lines: string[] = []
  await build(t, environment, { write: (line) => { lines.push(line) } })
  // pino writes JSON with these fields.
  return lines
    .map((line) => JSON.parse(line) as { level: number, msg: string })
    .filter(({ level }) => level === 40)
    .map(({ msg }) => msg)
}

await t.test('The defaults are those of the contract', async (t) => {
  t.match(await read(), {
    HOST: '127.0.0.1',
    PORT: 4444,
    COLLABORATION_SERVER_SECRET_PREVIOUS: '',
    Y_PROVIDER_API_KEY: '',
    COLLABORATION_SERVER_ORIGIN: ['http://localhost:3000'],
    COLLABORATION_BACKEND_BASE_URL: '',
    COLLABORATION_BACKEND_DOCUMENT_PATH: '/api/v1.0/documents/{room}/',
    COLLABORATION_BACKEND_USER_PATH: '/api/v1.0/users/me/',
    COLLABORATION_BACKEND_TIMEOUT: 5000,
    COLLABORATION_SESSION_COOKIES: ['docs_sessionid', 'sessionid'],
    CONVERSION_FILE_MAX_SIZE: 20971520,
    DATA_DIR: './data',
    DATABASE_URL: '',
    REDIS_URL: '',
    LOG_LEVEL: 'info',
  })
})

await t.test('A variable that is empty or blank counts as not set', async (t) => {
  const found = await read(Object.fromEntries(settings.filter(([name]) => !(name in secret)).map(([name]) => [name, name.length % 2 ? '' : ' \t'])))
  t.same(found, await read())
})

await t.test('Values are accepted in the forms that people write', async (t) => {
  const found = await read({
    PORT: ' 80 ',
    COLLABORATION_SERVER_ORIGIN: ' https://Docs.example.org:443/ ,http://localhost:3000, ',
    COLLABORATION_SESSION_COOKIES: ' sessionid , ',
    LOG_LEVEL: 'WARN',
    COLLABORATION_LOGGING: 'True',
    MAX_CONNECTIONS: '0',
    COLLABORATION_SERVER_SECRET: '  in-a-file-with-a-newline\n',
  })
  t.match(found, { PORT: 80, COLLABORATION_SERVER_ORIGIN: ['https://docs.example.org', 'http://localhost:3000'], COLLABORATION_SESSION_COOKIES: ['sessionid'], LOG_LEVEL: 'warn', MAX_CONNECTIONS: 0, COLLABORATION_SERVER_SECRET: 'in-a-file-with-a-newline' })
  t.equal((await read({ COLLABORATION_LOGGING: 'true' })).LOG_LEVEL, 'debug', 'the older name sets debug')
  t.equal((await read({ COLLABORATION_LOGGING: 'true', LOG_LEVEL: 'info' })).LOG_LEVEL, 'info', 'the newer name wins')
})

await t.test('An invalid value is reported in one line that names the variable and not its value', async (t) => {
  const wrong = {
    PORT: ['http', '-1', '65536', '0x50', '1e3', '80.5'],
    COLLABORATION_SERVER_ORIGIN: [
      'localhost:3000', 'https://a.example/path', 'https://a.example?b', 'https://a.example/#b', 'https://user@a.example', 'https://:word@a.example', 'https://ok.example, nonsense',
      'ftp://a.example', ',', 'null', 'https://*', 'https://*.org', 'https://*example.org', 'https://a.*.example.org', 'https://*.*.example.org', 'https://a*.example.org',
      'https://a.example.*', 'https://a.example:*', '*.example.org', 'https://ok.example,https://*.', '"https://a.example"',
    ],
    COLLABORATION_BACKEND_BASE_URL: ['django', 'ftp://django', '//django', 'http:django', 'django:8000', 'http://user:word@django', 'http://django?a', 'http://django/#a'],
    COLLABORATION_BACKEND_DOCUMENT_PATH: ['api/{room}/', '/api/documents/', '/api/{room} /'],
    COLLABORATION_BACKEND_USER_PATH: ['me', 'https://django/me'],
    COLLABORATION_BACKEND_TIMEOUT: ['0', 'soon'],
    COLLABORATION_SESSION_COOKIES: ['session id', 'a=b'],
    ROOM_NAME_PATTERN: ['(', '[a-', '\\p{Nope}'],
    DATABASE_URL: [
      'mysql://db', 'postgres', 'postgres://', 'postgres://user:p/word@db/name', 'postgres://user:12/word@db/name', 'postgres://user:p%word@db/name', 'postgres://user:%zz@db/name',
      'postgres://user:p@s#w/rd@db:5432/name', 'postgres://user:p@s?w@db/name', 'postgres://user:p@s/w@db/name', 'postgres://user:12?p/w@db/name', 'postgres://user:word@db:port/name',
      '"postgres://user:word@db/name"',
    ],
    REDIS_URL: [
      'http://redis', 'redis:', 'redis+sentinel://redis', 'redis+cluster://redis/0', 'redis://', 'redis://user:p/word@redis', 'redis://user:12?word@redis', 'redis://user#word@redis',
      'redis://user:p%zz@redis',
    ],
    TRUST_PROXY: ['1', 'maybe', '10.0.0.0/33', '10.0.0.0/', 'loopback,'],
    STORE_SYNC: ['disk'],
    LOG_LEVEL: ['loud'],
    COLLABORATION_LOGGING: ['yes please'],
    MAX_FRAME_BYTES: ['0', '32MiB', '-5', '9007199254740993000'],
    CONVERSION_SOFT_BREAKS: ['newline'],
    COLLABORATION_SERVER_SECRET: ['gehe\u00efm', 'two\nlines'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const failure = await read({ [name]: value }).then(() => new Error('accepted'), (error: Error) => error)
      t.match(failure.message, new RegExp(`^${name} must be [^\n]+$`), `${name}=${JSON.stringify(value)}`)
    }
  }
  await t.rejects(read({ COLLABORATION_SERVER_SECRET: 'geheïm-und-lang' }), { message: /^COLLABORATION_SERVER_SECRET must be (?!.*geh).*$/ }, 'a secret is not repeated')
})

await t.test('Several faults are reported in the same line', async (t) => {
  await t.rejects(readSettings({ PORT: 'x', LOG_LEVEL: 'loud' }), {
    message: 'COLLABORATION_SERVER_SECRET is missing: set it (or COLLABORATION_SERVER_SECRET_FILE) to the same value as in Django; PORT must be a whole number, 0 to 65535; LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
  })
})

await t.test('Secrets can be read from files', async (t) => {
  const folder = t.testdir({ secret: '\n  from-a-file-of-kubernetes \n', empty: ' \n' })
  const file = `${folder}/secret`
  t.equal((await readSettings({ COLLABORATION_SERVER_SECRET_FILE: file })).COLLABORATION_SERVER_SECRET, 'from-a-file-of-kubernetes')
  t.equal((await read({ Y_PROVIDER_API_KEY_FILE: file })).Y_PROVIDER_API_KEY, 'from-a-file-of-kubernetes')
  await t.rejects(read({ COLLABORATION_SERVER_SECRET_FILE: file }), { message: 'COLLABORATION_SERVER_SECRET and COLLABORATION_SERVER_SECRET_FILE are both set: remove COLLABORATION_SERVER_SECRET to use the file, or COLLABORATION_SERVER_SECRET_FILE to use the value' })
  await t.rejects(readSettings({ COLLABORATION_SERVER_SECRET_FILE: `${folder}/nowhere` }), { message: /^COLLABORATION_SERVER_SECRET_FILE cannot be read: .*nowhere \(ENOENT\)$/ })
  await t.rejects(readSettings({ COLLABORATION_SERVER_SECRET_FILE: `${folder}/empty` }), { message: /^COLLABORATION_SERVER_SECRET_FILE is empty: / })
  for (const path of [folder, '/dev/zero']) await t.rejects(readSettings({ COLLABORATION_SERVER_SECRET_FILE: path }), { message: /^COLLABORATION_SERVER_SECRET_FILE is not a file: / })
  await t.rejects(read({ PORT_FILE: file }).then((found) => { throw new Error(String(found.PORT)) }), { message: '4444' }, 'only secrets can be read from files')
})

await t.test('Production rejects values that are only for development', async (t) => {
  const production = { NODE_ENV: 'production' }
  for (const unsafe of ['my-secret', 'fifteen-letters']) {
    for (const name of ['COLLABORATION_SERVER_SECRET', 'COLLABORATION_SERVER_SECRET_PREVIOUS', 'Y_PROVIDER_API_KEY']) {
      await t.rejects(read({ ...production, [name]: unsafe }), { message: `${name} is unsafe in production: use at least 16 random characters` })
      t.ok(await read({ [name]: unsafe }), 'development accepts it')
    }
  }
  await t.rejects(read({ ...production, COLLABORATION_SERVER_ORIGIN: '*' }), { message: /^COLLABORATION_SERVER_ORIGIN must not be \* in production/ })
  t.ok(await read({ ...production, COLLABORATION_SERVER_SECRET: 'sixteen-letters!' }))
})

await t.test('Every value of NODE_ENV except development and test means production; an unset one logs a warning', async (t) => {
  const unsafe = { COLLABORATION_SERVER_SECRET: 'my-secret', COLLABORATION_SERVER_ORIGIN: '*' }
  const message = /^COLLABORATION_SERVER_SECRET is unsafe in production: [^;]*; COLLABORATION_SERVER_ORIGIN must not be \* in production/
  for (const NODE_ENV of ['production', 'prod', 'staging', 'Production', 'Development', 'dev', 'testing']) await t.rejects(read({ ...unsafe, NODE_ENV }), { message }, NODE_ENV)
  for (const [NODE_ENV, warned] of [['', ['COLLABORATION_SERVER_SECRET', 'COLLABORATION_SERVER_ORIGIN']], ['development', []], ['test', []]] as const) {
    t.same((await warnings(t, { ...unsafe, NODE_ENV })).map((line) => line.split(' ')[0]), warned, `NODE_ENV=${NODE_ENV}`)
  }
  t.same(await warnings(t), [], 'nothing to warn of')
})

await t.test('A value in quotation marks is named in a warning, and not repeated', async (t) => {
  const note = 'is in quotation marks, which count as part of the value: docker run --env-file does not remove them'
  t.same(await warnings(t, { COLLABORATION_SERVER_SECRET: '"0123456789abcdef0123"', COLLABORATION_SERVER_SECRET_PREVIOUS: "'0123456789abcdef0123'", Y_PROVIDER_API_KEY: '"another-0123456789abcdef"' }), [
    `COLLABORATION_SERVER_SECRET ${note}`, `COLLABORATION_SERVER_SECRET_PREVIOUS ${note}`, `Y_PROVIDER_API_KEY ${note}`,
  ])
  t.same(await warnings(t, { COLLABORATION_SERVER_SECRET: '"only-one-of-them-here', Y_PROVIDER_API_KEY: '\'not-the-same-at-both-ends"' }), [])
  await t.rejects(read({ PORT: '"4444"' }), { message: `PORT must be a whole number, 0 to 65535 (it ${note})` }, 'if it stops the start, the line gives the reason')
})

await t.test('An API key that equals a secret is named in a warning, and not repeated', async (t) => {
  const given = 'key-and-secret-in-one'
  for (const [name, key] of [['COLLABORATION_SERVER_SECRET', given], ['COLLABORATION_SERVER_SECRET_PREVIOUS', given], ['COLLABORATION_SERVER_SECRET', `Bearer ${given}`]] as const) {
    t.same(await warnings(t, { [name]: given, Y_PROVIDER_API_KEY: key }), [`Y_PROVIDER_API_KEY is the same as ${name} and is not accepted as Bearer: give it a value of its own`])
  }
  t.same(await warnings(t, { COLLABORATION_SERVER_SECRET: given, Y_PROVIDER_API_KEY: 'another-key-of-its-own' }), [])
})

await t.test('Every valid form of a PostgreSQL URL is accepted', async (t) => {
  for (const url of [
    'postgres://db', 'postgresql://user:word@db:5432/name?sslmode=require', 'postgres:///name?host=/var/run/postgresql', 'postgres://%2Frun%2Fpostgresql/name', 'postgres://user@[::1]:5432/name',
    'postgres://user:p%40s%23w%2Frd@db/name', 'postgres://user:p@s@db/name', 'postgres://user:p?w#d@db/name', 'postgres://db/name?user=me@tenant&password=a/b@c', 'postgres://db_1.internal/na_me',
  ]) t.equal((await read({ DATABASE_URL: url })).DATABASE_URL, url)
})

await t.test('Links between documents use the first origin without a wildcard', async (t) => {
  t.equal(webOrigin(await read({ COLLABORATION_SERVER_ORIGIN: '*,https://*.example.org,https://docs.example.org,https://other.example' })), 'https://docs.example.org')
  t.equal(webOrigin(await read({ COLLABORATION_SERVER_ORIGIN: '*' })), undefined)
})

await t.test('Room names: 1 to 255 printable characters of any script', async (t) => {
  const rule = roomNamePattern(await read())
  for (const name of ['a', '...', '.a', 'a b', 'Договор №5', '数据', 'می‌خواهم', '👩‍👩‍👧', 'x'.repeat(255), '🎈'.repeat(255), '3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'a/b', '%2F', '?#']) {
    t.ok(rule.test(name), name.slice(0, 40))
  }
  for (const name of ['', '.', '..', ' ', ' a', 'a ', '\u00a0a', 'a\u3000', 'a\nb', 'a\n', '\ta', 'a\0', 'a\u007f', 'a\u2028b', 'a\u202eb', '\ufeffa', 'a\ud800', 'x'.repeat(256), '🎈'.repeat(256)]) {
    t.notOk(rule.test(name), `code points ${[...name.slice(0, 6)].map((character) => character.codePointAt(0)?.toString(16)).join(' ')}`)
  }
})

await t.test('A pattern without anchors still has to match the whole name', async (t) => {
  const rule = roomNamePattern(await read({ ROOM_NAME_PATTERN: '[0-9a-f-]{36}|test' }))
  t.ok(rule.test('3f2504e0-4f89-41d3-9a0c-0305e82c3301'))
  t.ok(rule.test('test'))
  t.notOk(rule.test('a test'))
  t.notOk(rule.test('test\n'))
})

await t.test('Trusted proxies have the form that Fastify expects', async (t) => {
  for (const [given, wanted] of [['false', false], ['True', true], ['loopback, 10.0.0.0/8,::1,fd00::/8', 'loopback, 10.0.0.0/8,::1,fd00::/8']] as const) {
    t.equal(trustedProxies(await read({ TRUST_PROXY: given })), wanted)
  }
})

await t.test('Every setting has a description, and every format it names is known', async (t) => {
  for (const [name, schema] of settings) {
    t.match(schema.description, /.{10}/, name)
    const format = schema.format ?? schema.items?.format
    if (format !== undefined) t.ok(formats[format], `${name} has format ${format}`)
  }
})

await t.test('Any environment is either read or rejected in one line', async (t) => {
  const name = fc.constantFrom(...settings.map(([name]) => name))
  await fc.assert(fc.asyncProperty(fc.dictionary(name, fc.string({ unit: 'binary' })), async (environment) => {
    const failure = await readSettings(environment).then(() => undefined, (error: Error) => error)
    return failure === undefined || (failure.name === 'InvalidSettings' && failure.message !== '' && !failure.message.includes('\n'))
  }), { numRuns: 50 })
  t.pass()
})
