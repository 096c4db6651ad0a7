import t from 'tap'
import { asDjango, build } from '../helper.ts'

t.test('the figures are for those who have the secret, and count what has happened', async (t) => {
  const app = await build(t)
  t.equal((await app.inject('/metrics')).statusCode, 403)
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, accept: 'text/html' }, payload: '# Hello' })
  await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...asDjango, 'content-type': 'application/octet-stream' }, payload: 'no update' })
  const { statusCode, body, headers } = await app.inject({ url: '/metrics', headers: asDjango })
  t.equal(statusCode, 200)
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  t.match(body, /^y_provider_conversion_seconds_count\{from="markdown",to="html"\} 1$/m)
  t.match(body, /^y_provider_conversion_failures_total\{from="yjs",to="yjs",reason="invalid"\} 1$/m)
  t.match(body, /^y_provider_rooms 0$/m)
  t.match(body, /^y_provider_updates_total 0$/m)
  t.match(body, /^nodejs_eventloop_lag_p99_seconds /m)
})
