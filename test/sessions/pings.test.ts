import { once } from 'node:events'
import t from 'tap'
import { asDjango, listen } from '../helper.ts'
import { connectBare } from '../clients/bare-client.ts'

const limits = { MAX_MESSAGES_PER_SECOND: '10', RATE_BURST_SECONDS: '2' }

for (const path of ['/collaboration/ws/room', '/collaboration/ws/?room=room']) {
  await t.test(`${path}: pings are answered with their payload, and count as messages`, async (t) => {
    const { wsUrl } = await listen(t, limits)
    const client = connectBare(t, `${wsUrl}${path}`, asDjango)
    await client.until(({ isOpen }) => isOpen)
    const answered = once(client.ws, 'pong')
    client.ws.ping('are you there?')
    t.equal(String((await answered)[0]), 'are you there?')
    for (let count = 0; count < 100; count++) client.ws.ping()
    await client.until(({ closed }) => closed !== undefined)
    t.equal(client.closed?.code, 4529)
  })
}
