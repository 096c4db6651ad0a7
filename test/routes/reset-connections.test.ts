/** The route by itself. What a reset does to clients: service/revocation.test.ts and service/resets.test.ts */
import t from 'tap'
import { asDjango, build } from '../helper.ts'
import { checkAnswers } from './answer-table.ts'

const url = '/collaboration/api/reset-connections'

t.test('The answers match the contract, byte for byte', async (t) => {
  await checkAnswers(t, await build(t), [
    ['POST', `${url}?room=r`, 200, '{"message":"Connections reset"}'],
    ['POST', `${url}?room=r&room=s`, 200, '{"message":"Connections reset"}'],
    ['POST', `${url}?room=%C3%A9%2Fa`, 200, '{"message":"Connections reset"}'],
    ['POST', url, 400, '{"error":"Room name not provided"}'],
    ['POST', `${url}?room=`, 400, '{"error":"Room name not provided"}'],
    ['POST', `${url}?room=&room=`, 400, '{"error":"Room name not provided"}'],
    ['POST', `${url}?Room=r`, 400, '{"error":"Room name not provided"}'],
    ['GET', `${url}?room=r`, 404, '{"error":"Not found"}'],
    ['HEAD', `${url}?room=r`, 404, ''],
    ['PUT', `${url}?room=r`, 404, '{"error":"Not found"}'],
    ['POST', `${url.toUpperCase()}?room=r`, 404, '{"error":"Not found"}'],
    ['POST', `${url}/x?room=r`, 404, '{"error":"Not found"}'],
  ])
})

t.test('A reset ignores its body', async (t) => {
  const app = await build(t)
  for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
    for (const payload of ['', '{}']) {
      const { statusCode, body } = await app.inject({ method: 'POST', url: `${url}/?room=a`, headers: { ...asDjango, 'content-type': type }, payload })
      t.same([statusCode, body], [200, '{"message":"Connections reset"}'], `${type} ${payload}`)
    }
  }
})
