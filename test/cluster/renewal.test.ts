import t from 'tap'
import { mint } from '../service/tickets.ts'
import { asDjango } from '../helper.ts'
import { answers, ask, startNodes } from './nodes.ts'
import { connect, kinds } from '../clients/connect.ts'

const cluster = await startNodes(2)
t.teardown(() => cluster.stop())
const { ports } = cluster
const [here, there] = ports.map((port) => `ws://127.0.0.1:${port}`)

for (const kind of kinds) {
  await t.test(`${kind}: a renewal on one node takes effect on the other`, async (t) => {
    const room = kind.replace(' ', '-')
    const path = `/collaboration/api/get-connections/?room=${room}&sessionKey=s`
    const token = (claims: object): Promise<string> => mint(room, { user_id: 'u', session_key: 's', ...claims })
    const other = connect(t, { kind: 'y-websocket 3', wsUrl: here ?? '', room, headers: { ...asDjango, 'x-can-edit': 'False' } })
    const client = connect(t, { kind, wsUrl: there ?? '', room, token: await token({}) })
    await Promise.all([client.synced(), other.synced()])
    client.awareness.setLocalStateField('user', 'U')
    await other.until(() => other.awareness.getStates().get(client.doc.clientID)?.['user'] === 'U')
    t.same((await ask(ports[0], path)).body, { count: 0, exists: false })

    const outcomes = [[true, { count: 1, exists: true }], [false, { count: 0, exists: false }]] as const
    for (const [canEdit, expected] of outcomes) {
      await client.renew(await token({ can_edit: canEdit }))
      await client.until(() => client.record.scopes.at(-1) === (canEdit ? 'read-write' : 'readonly'))
      t.same((await ask(ports[0], path)).body, expected)
      t.same(other.awareness.getStates().get(client.doc.clientID), { user: 'U' }, 'and is still present')
      client.text.insert(0, canEdit ? 'taken' : 'refused ')
      if (canEdit) await other.until(() => other.text.toString() === 'taken')
    }

    await client.renew(await token({ user_id: 'v' }))
    await other.until(() => !other.awareness.getStates().has(client.doc.clientID))
    t.equal(other.text.toString(), 'taken')
    client.destroy()
    other.destroy()
    await answers(ports[0], path, ({ status }) => status === 404)
  })
}
