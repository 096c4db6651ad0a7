import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { encodeAwareness } from '../../src/protocol/awareness.ts'
import { asDjango, listen } from '../helper.ts'
import { openBare, type BareClient } from '../clients/bare-client.ts'
import { connect } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { about, bytes } from '../clients/messages.ts'

const readOnly = { ...asDjango, 'x-can-edit': 'False', 'x-user-id': 'reader' }

/** A bare client of either protocol that has joined the room `r`. `say` addresses what it sends. */
async function join (
  t: Test,
  wsUrl: string,
  isHocuspocus: boolean,
  headers: { readonly [name: string]: string }
): Promise<{ wire: BareClient, say (...parts: Array<number | string | Uint8Array>): void }> {
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/${isHocuspocus ? '?room=r' : 'r'}`, headers)
  const say = (...parts: Array<number | string | Uint8Array>): void => {
    wire.ws.send(isHocuspocus ? about('r', bytes(...parts)) : about('', bytes(...parts)).subarray(1))
  }
  if (isHocuspocus) say(2, 0, '')
  say(0, 0, Uint8Array.of(0))
  // Both: a message before the answer (step 1, Authenticated), and the answer.
  await wire.until(({ heard }) => heard.length >= 2)
  return { wire, say }
}

const presence = (clientId: number, clock: number, state: object | null) =>
  encodeAwareness([{ clientId, clock, state: JSON.stringify(state) }])

for (const isHocuspocus of [false, true]) {
  const protocol = isHocuspocus ? 'Hocuspocus' : 'y-websocket'

  t.test(`${protocol}: a connection cannot change the presence of another user's client`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const watcher = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'r', headers: asDjango })
    await watcher.synced()
    const states = () => watcher.awareness.getStates()
    const honest = await join(t, wsUrl, isHocuspocus, { ...asDjango, 'x-user-id': 'honest' })
    honest.say(1, presence(1, 1, { user: 'honest' }))
    await watcher.until(() => states().get(1)?.['user'] === 'honest')
    const liar = await join(t, wsUrl, isHocuspocus, { ...asDjango, 'x-user-id': 'liar' })
    const before = app.rooms.counters.awarenessDropped
    liar.say(1, presence(1, 2, { user: 'liar' }))
    liar.say(1, presence(1, 3, null))
    liar.say(1, presence(2, 1, { user: 'liar' }))
    await watcher.until(() => states().get(2)?.['user'] === 'liar')
    t.same(states().get(1), { user: 'honest' }, 'neither changed nor removed')
    t.equal(app.rooms.counters.awarenessDropped - before, 2)
    honest.say(1, presence(1, 2, { user: 'honest', cursor: 3 }))
    await watcher.until(() => states().get(1)?.['cursor'] === 3)
    liar.wire.ws.terminate()
    await watcher.until(() => !states().has(2))
    t.ok(states().has(1))
  })

  t.test(`${protocol}: no message of a read-only connection changes anything, and its presence is visible`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const editor = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    await editor.synced()
    editor.text.insert(0, 'theirs')
    const reader = await join(t, wsUrl, isHocuspocus, readOnly)
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'mine')
    const update = Y.encodeStateAsUpdate(doc)
    doc.getText('t').insert(0, 'x'.repeat(300_000))
    const heavy = Y.encodeStateAsUpdate(doc)
    const deletes = (() => {
      const copy = new Y.Doc()
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(editor.doc))
      copy.getText('t').delete(0, 6)
      return Y.encodeStateAsUpdate(copy)
    })()
    const changes = [update, heavy, deletes]
    const types = isHocuspocus ? [[0, 1], [0, 2], [4, 1], [4, 2]] as const : [[0, 1], [0, 2]] as const
    const before = reader.wire.heard.length
    for (const [type, kind] of types) for (const change of changes) reader.say(type, kind, change)
    await eventually(() => app.rooms.counters.refused === types.length * changes.length)
    reader.say(0, 1, Y.encodeStateAsUpdate(editor.doc))
    reader.say(1, presence(7, 1, { user: 'reader' }))
    await editor.until(() => editor.awareness.getStates().get(7)?.['user'] === 'reader')
    if (isHocuspocus) {
      await reader.wire.until(({ heard }) => statuses(heard.slice(before)).length === types.length * changes.length + 1)
      t.same(statuses(reader.wire.heard.slice(before)), [...new Array<number>(types.length * changes.length).fill(0), 1], 'SyncStatus false; true if it contained nothing new')
    }
    editor.text.insert(6, '!')
    await eventually(() => app.rooms.counters.updates === 2)
    const witness = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'r', headers: asDjango })
    await witness.until(() => witness.text.toString() === 'theirs!')
    t.equal(editor.text.toString(), 'theirs!')
    t.same(editor.record.closes, [])
    t.ok(reader.wire.isOpen)
  })
}

/** The values of all SyncStatus messages about `r`. */
const statuses = (heard: readonly Uint8Array[]): number[] =>
  heard.flatMap((message) => message[2] === 8 ? [message[3] ?? -1] : [])
