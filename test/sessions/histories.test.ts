import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { listen } from '../helper.ts'
import { oneAuthor, textName, twoAuthors, type EditingHistory } from './traces.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { eventually } from '../clients/eventually.ts'
import { connectYWebsocket, type YWebsocketClient } from '../clients/y-websocket-client.ts'

/*
 * Sends real editing histories through the service: `Y_PROVIDER_TRACES` names the folder that contains
 * automerge-paper.json.gz and friendsforever.json.gz (github.com/josephg/editing-traces). Without it, artificial ones.
 */

const textOf = ({ doc }: YWebsocketClient): string => doc.getText(textName).toString()

/** The number of updates merged into one message, as sent by a client that reconnects after working offline. */
const batch = 50

/** The edits of one author in a row, up to `most` at once. */
function messagesOf ({ updates }: EditingHistory, most: number): Array<{ agent: number, updates: Uint8Array[] }> {
  const messages: Array<{ agent: number, updates: Uint8Array[] }> = []
  for (const { agent, update } of updates) {
    const last = messages.at(-1)
    if (last?.agent === agent && last.updates.length < most) last.updates.push(update)
    else messages.push({ agent, updates: [update] })
  }
  return messages
}

/** The state that the author of an update had seen: client → clock. Nobody types after, or deletes, unseen content. */
function neededBy (update: Uint8Array): Map<number, number> {
  const needed = new Map(scanUpdate(update).needs)
  const { structs, ds } = Y.decodeUpdate(update)
  const own = structs[0]?.id.client
  for (const [client, ranges] of ds.clients) {
    if (client === own) continue
    for (const { clock, len } of ranges) needed.set(client, Math.max(needed.get(client) ?? 0, clock + len))
  }
  // The author has seen all of its own earlier content.
  if (own !== undefined) needed.set(own, Math.min(...structs.map(({ id }) => id.clock)))
  return needed
}

async function replay (t: Test, history: EditingHistory, perMessage: number): Promise<void> {
  const { app, wsUrl } = await listen(t)
  const authors = Array.from({ length: history.agents }, () => connectYWebsocket(t, wsUrl, 'history'))
  const reader = connectYWebsocket(t, wsUrl, 'history', { version: 'y-websocket 1' })
  await synced(...authors, reader)
  for (const { agent, updates } of messagesOf(history, perMessage)) {
    const author = authors[agent]!
    const update = updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates)
    const leansOn = neededBy(update)
    await when([author], () => [...leansOn].every(([client, clock]) => Y.getState(author.doc.store, client) >= clock))
    // Applied as an edit of the author, so that its provider sends it.
    Y.applyUpdate(author.doc, update, 'typing')
    // Like a person's keystrokes, these arrive one turn of the event loop after the other.
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  const all = [...authors, reader]
  await when(all, () => {
    return all.every((client) => client.doc.store.pendingStructs === null && textOf(client) === history.end)
  })
  const late = connectYWebsocket(t, wsUrl, 'history')
  await synced(late)
  t.ok(textOf(late) === history.end, 'a late client reads the end of the history')
  for (const { provider } of [...all, late]) provider.destroy()
  await eventually(() => app.rooms.openRooms === 0)
  await app.rooms.compactionIdle()
  const again = connectYWebsocket(t, wsUrl, 'history')
  await synced(again)
  t.ok(textOf(again) === history.end, 'and so does a client that opens it after it was closed and compacted')
  t.same([...all, late, again].flatMap(({ closes }) => closes), [])
}

await t.test('Every edit of a paper', async (t) => { await replay(t, await oneAuthor(), batch) })
await t.test('Its first part, one message per keystroke', async (t) => { await replay(t, await oneAuthor(5000), 1) })
await t.test('Two people who typed at once', async (t) => { await replay(t, await twoAuthors(), 20) })
