import { readFile } from 'node:fs/promises'
import { createHistogram } from 'node:perf_hooks'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { delayOf, figures, sampleEveryMs } from '../../src/http/loop-delay.ts'
import { version } from '../../src/settings/version.ts'
import { answer, routes, startDjango } from '../access/django.ts'
import { mint } from '../service/tickets.ts'
import { asDjango, build, listen } from '../helper.ts'
import { parseExposition, type Family } from './exposition.ts'
import { closeCode, openSocket, connectBare } from '../clients/bare-client.ts'
import { synced } from '../clients/client.ts'
import { eventually } from '../clients/eventually.ts'
import { connectHocuspocus } from '../clients/hocuspocus-client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'
import { rootUrl } from '../root.ts'

async function scrape (app: FastifyInstance): Promise<Map<string, Family>> {
  const { statusCode, body } = await app.inject({ url: '/metrics', headers: asDjango })
  if (statusCode !== 200) throw new Error(body)
  return parseExposition(body)
}

/** The value of one sample; `name` without `y_provider_`. */
function valueOf (
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {}
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples)
  return samples.find((sample) => sample.name === `y_provider_${name}` && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value
}

t.test('The metrics require the secret, and count what has happened', async (t) => {
  const app = await build(t)
  t.equal((await app.inject('/metrics')).statusCode, 403)
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, accept: 'text/html' }, payload: '# Hello' })
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, 'content-type': 'application/octet-stream' }, payload: 'no update' })
  const { headers } = await app.inject({ url: '/metrics', headers: asDjango })
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const families = await scrape(app)
  t.equal(valueOf(families, 'conversion_seconds_count', { from: 'markdown', to: 'html' }), 1)
  t.equal(valueOf(families, 'conversion_failures_total', { from: 'yjs', to: 'yjs', reason: 'invalid' }), 1)
  t.equal(valueOf(families, 'rooms'), 0)
  t.equal(valueOf(families, 'updates_total'), 0)
  t.equal(valueOf(families, 'build_info', { version, node: process.version }), 1)
})

t.test('Sockets, refusals and durations', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 403, {}) }))
  const { app, wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  const before = await scrape(app)
  const client = connectYWebsocket(t, wsUrl, 'plan')
  const other = connectHocuspocus(t, wsUrl, 'plan')
  await synced(client)
  const stored = new Promise<void>((resolve) => { other.provider.on('unsyncedChanges', ({ number }: { number: number }) => { if (number === 0) resolve() }) })
  other.doc.getText('text').insert(0, 'hello')
  await stored
  const uninvited = connectBare(t, `${wsUrl}/collaboration/ws/secret`, { cookie: 'sessionid=s' })
  await uninvited.until(({ closed }) => closed !== undefined)
  const late = connectBare(t, `${wsUrl}/collaboration/ws/plan?token=${await mint('plan', { exp: 1 })}`)
  await late.until(({ closed }) => closed !== undefined)
  const odd = await openSocket(t, `${wsUrl}/collaboration/ws/plan`)
  odd.send('text')
  await closeCode(odd)
  // The client sees the end of its socket before the service does.
  await eventually(async () => valueOf(await scrape(app), 'closes_total', { code: '1003' }) !== 0)
  const families = await scrape(app)
  const grown = (name: string, labels?: Record<string, string>): number =>
    (valueOf(families, name, labels) ?? NaN) - (valueOf(before, name, labels) ?? NaN)
  t.equal(valueOf(families, 'connections', { protocol: 'y-websocket' }), 1)
  t.equal(valueOf(families, 'connections', { protocol: 'hocuspocus' }), 1)
  for (const rule of ['forbidden', 'ticketInvalid', 'textFrame']) t.equal(grown('refusals_total', { rule }), 1, rule)
  for (const code of ['4403', '4401', '1003']) t.equal(grown('closes_total', { code }), 1, code)
  t.equal(grown('document_opening_seconds_count'), 1)
  t.equal(grown('backend_call_seconds_count'), 1)
  t.ok(grown('store_commit_seconds_count') > 0)
  t.ok(grown('acknowledgement_seconds_count') > 0)
  t.ok(grown('acknowledgement_seconds_sum') > 0)
})

t.test('docs/operations.md names every metric, with its type and labels', async (t) => {
  const app = await build(t)
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, accept: 'text/html' }, payload: '# Hello' })
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, 'content-type': 'application/octet-stream' }, payload: 'no update' })
  const page = await readFile(new URL('docs/operations.md', rootUrl), 'utf8')
  const documented = [...page.matchAll(/^\| `y_provider_(\w+)` \| (\w+) \|([^|]*)\| [^|]+ \|$/gm)].map(([, name, type, labels = '']) => ({ name, type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort() }))
  const shown = [...await scrape(app)].filter(([name]) => name.startsWith('y_provider_')).map(([name, { type, samples }]) => ({
    name: name.slice('y_provider_'.length),
    type,
    labels: [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].filter((label) => label !== 'le').sort(),
  }))
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }): number => (a.name ?? '') < (b.name ?? '') ? -1 : 1
  t.strictSame(documented.sort(byName), shown.sort(byName))
})

t.test('The event loop delay excludes the interval between samples', async (t) => {
  const idle = createHistogram()
  for (let sample = 0; sample < 10; sample++) idle.record(sampleEveryMs * 1e6)
  for (const figure of figures) t.ok(delayOf(idle, figure) < 0.001, figure)
  const busy = createHistogram()
  busy.record((sampleEveryMs + 50) * 1e6)
  t.ok(Math.abs(delayOf(busy, 'p99') - 0.05) < 0.001)
  const app = await build(t)
  const shown = await scrape(app)
  for (const figure of figures) t.equal(shown.get(`nodejs_eventloop_lag_${figure}_seconds`)?.samples.length, 1, figure)
})
