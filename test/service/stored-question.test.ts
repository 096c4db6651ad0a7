import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import * as Y from 'yjs'
import { asDjango, listen } from '../helper.ts'
import { Engine, turn, typing, until } from '../sync/engine.ts'
import { synced } from '../clients/client.ts'
import { eventually } from '../clients/eventually.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'
import { root, rootUrl } from '../root.ts'

/** The code for developers in docs/durability.md. */
type WatchStored = (provider: unknown, onChange: (isStored: boolean) => void) => void

async function watchStoredOfTheDocs (): Promise<WatchStored> {
  const text = readFileSync(new URL('docs/durability.md', rootUrl), 'utf8')
  const code = text.match(/```js\n(\/\/ stored\.js\n[^]*?)```/)?.[1]
  if (code === undefined) throw new Error('docs/durability.md shows no stored.js')
  // Next to this file, so that its imports are resolved.
  const folder = mkdtempSync(join(root, '.tap/docs-'))
  try {
    writeFileSync(join(folder, 'stored.mjs'), code)
    const { watchStored } = await import(join(folder, 'stored.mjs')) as { watchStored: WatchStored } // the exports of the page
    return watchStored
  } finally {
    rmSync(folder, { recursive: true })
  }
}

t.test('A y-websocket client that uses stored.js from the docs knows which changes are stored', async (t) => {
  const watchStored = await watchStoredOfTheDocs()
  const { app, wsUrl } = await listen(t)
  const { doc, provider } = connectYWebsocket(t, wsUrl, 'watched')
  const said: boolean[] = []
  const nextAnswer = async (): Promise<void> => {
    const answers = said.filter(Boolean).length
    await eventually(() => said.filter(Boolean).length > answers)
  }
  watchStored(provider, (isStored) => { said.push(isStored) })
  await nextAnswer()
  doc.getText('text').insert(0, 'typed')
  doc.getText('text').delete(0, 1)
  t.equal(said.at(-1), false)
  await nextAnswer()
  const stored = await app.store.load('watched')
  const copy = new Y.Doc()
  for (const { update } of stored?.log ?? []) Y.applyUpdate(copy, update)
  t.equal(copy.getText('text').toString(), 'yped')
})

t.test('The answer waits for the store, and covers only changes sent before the question', async (t) => {
  const engine = new Engine()
  const [writer, other] = [await engine.joinLive(), await engine.joinLive()]
  writer.say({ type: 'stored-question', number: 1 })
  t.same(writer.all('stored'), [{ type: 'stored', number: 1, isStored: true }], 'at once, since nothing is waiting')
  engine.store.appends.shut()
  const [first, second] = typing('first', '2')
  if (first === undefined || second === undefined) return t.fail()
  writer.update(first)
  writer.say({ type: 'stored-question', number: 2 })
  await until(() => engine.store.appends.waiting === 1)
  writer.say({ type: 'stored-question', number: 3 })
  writer.update(second)
  writer.say({ type: 'stored-question', number: 4 })
  other.update(first)
  other.say({ type: 'stored-question', number: 5 })
  await turn()
  t.equal(writer.all('stored').length, 1)
  engine.store.appends.openOnce()
  await until(() => engine.store.appends.waiting === 1)
  t.same(writer.all('stored').map(({ number }) => number), [1, 2, 3])
  t.same(other.all('stored'), [])
  engine.store.appends.open()
  await until(() => other.all('stored').length === 1)
  t.same(writer.all('stored').map(({ number }) => number), [1, 2, 3, 4])
})

t.test('A read-only client is not told that its changes are stored', async (t) => {
  const engine = new Engine()
  const reader = await engine.joinLive('room', { canEdit: false })
  reader.update(typing('not allowed')[0] ?? new Uint8Array())
  reader.say({ type: 'stored-question', number: 7 })
  t.same(reader.all('stored'), [{ type: 'stored', number: 7, isStored: false }])
})

t.test('A read-only client that has changed nothing gets the answer that everything is stored', async (t) => {
  const watchStored = await watchStoredOfTheDocs()
  const { app, wsUrl } = await listen(t)
  const writer = connectYWebsocket(t, wsUrl, 'watched')
  writer.doc.getText('text').insert(0, 'typed and deleted')
  writer.doc.getText('text').delete(6, 11)
  await synced(writer)
  const reader = connectYWebsocket(t, wsUrl, 'watched', { headers: { ...asDjango, 'X-Can-Edit': 'False' } })
  const said: boolean[] = []
  watchStored(reader.provider, (isStored) => { said.push(isStored) })
  await until(() => said.length === 1)
  // After it reconnects, the reader answers with everything that it has.
  reader.provider.disconnect()
  reader.provider.connect()
  await until(() => said.length === 2)
  t.same(said, [true, true])
  t.equal(app.rooms.counters.refused, 0)
})

t.test('A client that gains the right to edit is asked for its rejected changes, and told when they are stored', async (t) => {
  for (const wire of ['y-websocket', 'hocuspocus'] as const) {
    const engine = new Engine()
    const writer = await engine.joinLive('room', { canEdit: false, userId: 'u', wire })
    const [update = new Uint8Array()] = typing('too early')
    writer.update(update)
    const asked = writer.all('step1').length
    writer.connection.takeOver({ userId: 'u', canEdit: true })
    writer.say({ type: 'stored-question', number: 1 })
    t.equal(writer.all('step1').length, asked + 1)
    writer.say({ type: 'sync-step-2', update })
    writer.say({ type: 'stored-question', number: 2 })
    await until(() => writer.all('stored').length === 2)
    t.same(writer.all('stored').map(({ isStored }) => isStored), [false, true], wire)
    writer.connection.takeOver({ userId: 'u', canEdit: true })
    t.equal(writer.all('step1').length, asked + 1, 'once')
  }
})

t.test('A client that does not ask receives no such message', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  writer.update(typing('typed')[0] ?? new Uint8Array())
  await until(() => engine.store.documents.has('room') && engine.rooms.unsavedBytes === 0)
  t.same(writer.all('stored'), [])
})
