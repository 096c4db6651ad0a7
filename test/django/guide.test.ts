/** Walks docs/django.md from step 1 to step 7, with a real Django and a real y-provider. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { DjangoProject } from './django-project.ts'
import { ProviderProcess } from './provider-process.ts'
import { rootUrl } from '../root.ts'

const guide = readFileSync(new URL('docs/django.md', rootUrl), 'utf8')
const django = new DjangoProject()
const provider = new ProviderProcess()
t.teardown(async () => {
  await django.remove()
  await provider.remove()
})

const origin = 'http://localhost:3000'
const both = { COLLABORATION_SERVER_SECRET: 'my-secret', COLLABORATION_SERVER_ORIGIN: origin }
const development = { DJANGO_DEBUG: 'true' }
const newSecret = 'the-new-secret-of-both'
let url = ''

/** The settings of Django's `.env`, with y-provider's address once it is known. */
const djangoEnv = (changed: Record<string, string | undefined> = {}) => {
  return { ...development, ...both, Y_PROVIDER_BASE_URL: url, ...changed }
}

/** The output of `manage.py`, with the machine-dependent parts as the guide writes them. */
const asInTheGuide = (output: string) => output.replaceAll(url, 'http://127.0.0.1:4444').trim()

async function restartProvider (settings: Record<string, string>): Promise<void> {
  const port = url === '' ? '0' : new URL(url).port
  url = await provider.restart({ ...settings, PORT: port })
}

/** A conversion with this Authorization header (as bytes: fetch would trim some), sent like Django or like a page. */
async function convert (
  authorization: string | undefined,
  headers: Record<string, string> = {}
): Promise<{ status: number | undefined, body: string }> {
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/api/convert/`, {
      method: 'POST',
      headers: { 'content-type': 'text/markdown', accept: 'text/markdown', ...(authorization !== undefined && { authorization }), ...headers },
    }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    sent.on('error', reject)
    sent.end('# Hello\n')
  })
}

const forbidden = { status: 403, body: '{"error":"Forbidden: Invalid API Key"}' }

await t.test('Step 1: one secret in both .env files', async (t) => {
  await restartProvider(both)
  django.configure(djangoEnv())
  t.equal(django.manage('migrate', '--verbosity=0').output, '')
})

await t.test('Step 2: Django loads it', async (t) => {
  const show = () => django.manage('shell', '-c', 'from django.conf import settings; print(settings.COLLABORATION_SERVER_SECRET)').output.trim().split('\n').at(-1)
  django.configure(djangoEnv({ COLLABORATION_SERVER_SECRET: 'of-the-file' }))
  t.equal(show(), 'of-the-file')
  django.configure(djangoEnv({ COLLABORATION_SERVER_SECRET: undefined }))
  t.equal(show(), 'my-secret', 'the default, for development')
  t.match(django.read('config/settings.py'), 'COLLABORATION_SERVER_SECRET = env("COLLABORATION_SERVER_SECRET", default="my-secret")')
  django.configure(djangoEnv({ DJANGO_DEBUG: 'false', DJANGO_SECRET_KEY: 'x' }))
  t.match(django.manage('diffsettings').output, 'COLLABORATION_SERVER_SECRET is the development default', 'and rejected outside development')
})

await t.test('Step 3: y-provider compares the header with it', async (t) => {
  t.same(await convert('my-secret'), { status: 200, body: '# Hello\n' })
  const other = new ProviderProcess()
  t.teardown(() => other.remove())
  await t.rejects(other.restart({ PORT: '0' }), /COLLABORATION_SERVER_SECRET/, 'without a secret it does not start')
  await t.rejects(other.restart({ PORT: '0', NODE_ENV: 'production', ...both }), /COLLABORATION_SERVER_SECRET/, 'nor with the default in production')
})

await t.test('Step 4: origins', async (t) => {
  t.match(await convert('my-secret', { origin }), { status: 200 })
  t.same(await convert('my-secret', { origin: 'http://elsewhere.example' }), { status: 403, body: '{"error":"CORS policy violation: Invalid Origin"}' })
})

await t.test('Step 5: a changed secret takes effect after both were restarted', async (t) => {
  django.configure(djangoEnv({ COLLABORATION_SERVER_SECRET: newSecret }))
  t.match(django.manage('check_y_provider').output, 'Invalid API Key', 'Django has the new one, y-provider the old one')
  await restartProvider({ ...both, COLLABORATION_SERVER_SECRET: newSecret })
  t.match(django.manage('check_y_provider'), { status: 0 })
})

await t.test('Rotation: with the previous secret the service is available throughout', async (t) => {
  const next = 'the-next-secret-of-both'
  await restartProvider({ ...both, COLLABORATION_SERVER_SECRET: next, COLLABORATION_SERVER_SECRET_PREVIOUS: newSecret })
  t.match(django.manage('check_y_provider'), { status: 0 }, 'Django with the old one')
  django.configure(djangoEnv({ COLLABORATION_SERVER_SECRET: next }))
  t.match(django.manage('check_y_provider'), { status: 0 }, 'Django with the new one')
  await restartProvider({ ...both, COLLABORATION_SERVER_SECRET: next })
  t.match(await convert(newSecret), forbidden, 'the old one is no longer accepted')
})

await t.test('Step 6: a request from Django', async (t) => {
  await restartProvider(both)
  django.configure(djangoEnv())
  const { output, status } = django.manage('check_y_provider')
  t.equal(status, 0)
  t.ok(guide.includes(asInTheGuide(output)), `the guide shows: ${asInTheGuide(output)}`)
})

await t.test('Step 7: symptoms of common mistakes', async (t) => {
  t.same(await convert(undefined), forbidden, 'no header')
  t.same(await convert(''), forbidden, 'an empty one')
  t.same(await convert('wrong'), forbidden, 'another secret')
  t.same(await convert('Bearer my-secret'), forbidden, 'the Bearer format')
  t.same(await convert('My-Secret'), forbidden, 'another case')
  t.ok(guide.includes(forbidden.body), 'the guide shows the answer')

  django.configure(djangoEnv({ COLLABORATION_SERVER_SECRET: 'another-secret' }))
  const wrong = django.manage('check_y_provider')
  t.equal(wrong.status, 1)
  t.ok(guide.includes(asInTheGuide(wrong.output)), `the guide shows: ${asInTheGuide(wrong.output)}`)

  await provider.stop()
  t.match(provider.log, /"url":"\/api\/convert\/.*"statusCode":403/s, "y-provider's log has the refused request")
  const away = django.manage('check_y_provider')
  t.ok(guide.includes(asInTheGuide(away.output)), `the guide shows: ${asInTheGuide(away.output)}`)
  for (const secret of ['my-secret', 'another-secret']) t.notMatch(provider.log, secret, 'no secret in the log')
})

t.end()
