/** X-Forwarded-Proto reaches Django only from a proxy that TRUST_PROXY names. */
import t from 'tap'
import { answer, mayEdit, startDjango } from '../access/django.ts'
import { listen } from '../helper.ts'
import { openBare } from '../clients/bare-client.ts'
import { about, bytes } from '../clients/messages.ts'

for (const [trusted, given, wanted] of [
  ['false', 'https', undefined],
  ['10.0.0.0/8', 'https', undefined],
  ['127.0.0.1', 'https', 'https'],
  ['10.0.0.0/8, loopback', 'https', 'https'],
  ['true', 'https', 'https'],
  ['true', 'http, https', 'https'],
  ['true', undefined, undefined],
] as const) {
  t.test(`TRUST_PROXY=${trusted}, X-Forwarded-Proto: ${given}`, async (t) => {
    const seen: Array<string | string[] | undefined> = []
    const django = await startDjango(t, ({ headers }, response) => {
      seen.push(headers['x-forwarded-proto'])
      answer(response, 200, { id: 'u1', ...mayEdit })
    })
    const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, TRUST_PROXY: trusted })
    const headers = { cookie: 'sessionid=s', ...(given !== undefined && { 'x-forwarded-proto': given }) }
    await openBare(t, `${wsUrl}/collaboration/ws/r`, headers)
    const hocuspocus = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`, headers)
    hocuspocus.ws.send(about('r', bytes(2, 0, '')))
    await hocuspocus.until(({ heard }) => heard.length > 0)
    t.same(seen, [wanted, wanted, wanted, wanted])
  })
}
