import { connect } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { answer, mayEdit, routes, startDjango } from '../access/django.ts'
import { listen, secret } from '../helper.ts'
import { openBare } from '../clients/bare-client.ts'
import { about, bytes } from '../clients/messages.ts'

const step1 = (name: string) => about(name, bytes(0, 0, Uint8Array.of(0)))

t.test('A client that opens and leaves documents without waiting for the answers does not fill the queue to Django', async (t) => {
  const django = await startDjango(t, routes(() => { /* never answers */ }))
  const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, COLLABORATION_BACKEND_TIMEOUT: '500' })
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`, { cookie: 'sessionid=s' })
  for (let i = 0; i < 2000; i++) {
    wire.ws.send(step1(`document-${i}`))
    wire.ws.send(about(`document-${i}`, bytes(7)))
  }
  await wire.until(({ closed }) => closed !== undefined)
  t.equal(wire.closed?.code, 4529)
})

t.test('Opening and leaving documents does not extend the time for authentication', async (t) => {
  const { wsUrl } = await listen(t, { AUTH_TIMEOUT_MS: '300' })
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/`)
  const again = setInterval(() => {
    wire.ws.send(about('r', bytes(1, Uint8Array.of(0))))
    wire.ws.send(about('r', bytes(7)))
  }, 20)
  t.teardown(() => { clearInterval(again) })
  await wire.until(({ closed }) => closed !== undefined)
  t.equal(wire.closed?.code, 4401)
})

t.test('A stop notifies sockets without a document, and does not wait for an incomplete request', async (t) => {
  const { app, port, wsUrl } = await listen(t, { SHUTDOWN_TIMEOUT_MS: '4000' })
  const idle = await openBare(t, `${wsUrl}/collaboration/ws/`)
  const half = connect(port, '127.0.0.1')
  await once(half, 'connect')
  half.on('error', () => undefined) // it is cut off, as expected
  half.write('GET / HTTP/1.1\r\nHost:')
  const ended = once(half, 'close')
  await app.close()
  await ended
  t.match(idle.closed, { code: 1012, reason: /^Service restart, retry in \d+ ms$/ })
})

t.test('A document that is opened normally is not affected', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 200, mayEdit) }))
  const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`, { authorization: secret })
  wire.ws.send(step1('r'))
  await wire.until(({ heard }) => heard.length > 0)
  t.equal(wire.closed, undefined)
})
