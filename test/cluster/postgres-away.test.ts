import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import t, { type Test } from 'tap'
import { messageType } from '../../src/protocol/message.ts'
import { answers, startNodes } from './nodes.ts'
import { allIsWell, people, readStored, typing } from './people.ts'
import { readDocument } from '../clients/acknowledged-client.ts'
import { agree, holdsAcknowledged, type Author } from '../clients/author.ts'
import { when } from '../clients/changes.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

/* PostgreSQL is stopped, or hangs, until both nodes have noticed and people have typed a good deal more. */
const cluster = await startNodes(2)
t.teardown(() => cluster.stop())
const { nodes, ports, postgres, databaseUrl } = cluster

/** A y-websocket client that asks once whether its changes are stored. */
async function typeAndAsk (t: Test, room: string): Promise<{ type (): void, answers: boolean[] }> {
  const { doc, provider } = connectYWebsocket(t, `ws://127.0.0.1:${ports[0]}`, room)
  const answers: boolean[] = []
  provider.messageHandlers[messageType.stored] = (_encoder, decoder) => {
    decoding.readVarUint(decoder)
    answers.push(decoding.readVarUint(decoder) === 1)
  }
  if (!provider.synced) await new Promise<void>((resolve) => { provider.once('sync', () => { resolve() }) })
  return {
    answers,
    type: () => {
      doc.getText('text').insert(0, 'asked ')
      const question = encoding.createEncoder()
      encoding.writeVarUint(question, messageType.stored)
      encoding.writeVarUint(question, 1)
      provider.ws?.send(encoding.toUint8Array(question))
    },
  }
}

async function typeMeanwhile (
  t: Test,
  authors: readonly Author[],
  asking: { type (): void, answers: boolean[] }
): Promise<void> {
  const acknowledged = authors.map((author) => author.acknowledged.length)
  const stop = typing(authors)
  asking.type()
  for (const port of ports) {
    await answers(port, '/health/ready', ({ status, body }) => status === 503 && JSON.stringify(body) === '{"error":"Not ready: store, rooms"}')
    t.pass('a node reports that it is not ready, with the reason')
    await t.rejects(readDocument(port, 'another'), { message: /closed with 4503/ }, 'and opens no other document')
  }
  const length = authors[0]?.text.length ?? 0
  await when(authors, () => authors.every(({ text }) => text.length > length + 3000))
  stop()
  await when(authors, () => authors.every(({ text }) => text === authors[0]?.text && text.includes('asked ')))
  t.pass('changes on one node reach the other')
  t.same(authors.map((author) => author.acknowledged.length), acknowledged, 'nothing is acknowledged')
  t.same(asking.answers, [], 'nor reported as stored')
}

await t.test('PostgreSQL is down for a long time', async (t) => {
  const room = 'postgres-away'
  const authors = people(ports, room)
  const asking = await typeAndAsk(t, room)
  await when(authors, () => authors.every(({ present }) => present.size === 3))
  for (const author of authors) author.type('before ')
  await when(authors, () => agree(authors))
  await postgres.restart(() => typeMeanwhile(t, authors, asking))
  for (const port of ports) await answers(port, '/health/ready', ({ status }) => status === 200)
  await when(authors, () => agree(authors) && asking.answers.length > 0)
  t.same(asking.answers, [true], 'the question is answered once it is stored')
  const stored = await readStored(databaseUrl, room)
  t.equal(stored.getText('text').toString(), authors[0]?.text, 'PostgreSQL has all of it')
  t.ok(holdsAcknowledged(stored, authors))
  await allIsWell(t, room, authors, ports)
  t.same(authors.map(({ connections }) => connections), [1, 1], 'no client had to reconnect')
})

await t.test('PostgreSQL hangs until statements count as failed', async (t) => {
  const room = 'postgres-frozen'
  const authors = people(ports, room)
  await when(authors, () => authors.every(({ present }) => present.size === 2))
  for (const author of authors) author.type('before ')
  await when(authors, () => agree(authors))
  const thaw = await postgres.freeze()
  try {
    const acknowledged = authors.map((author) => author.acknowledged.length)
    const from = nodes.map((node) => node.output().length)
    const stop = typing(authors)
    for (const port of ports) {
      await answers(port, '/health/ready', ({ status, body }) => status === 503 && JSON.stringify(body).includes('store'))
      t.pass('a node reports that it is not ready, with the reason')
    }
    const length = authors[0]?.text.length ?? 0
    await when(authors, () => authors.every(({ text }) => text.length > length + 3000))
    stop()
    await when(authors, () => authors.every(({ text }) => text === authors[0]?.text))
    t.pass('changes on one node reach the other')
    await Promise.all(nodes.map((node, i) => node.line(/Failed to store updates/, { from: from[i] ?? 0, timeoutMs: 90_000 })))
    t.pass('a statement does not hang forever')
    for (const author of authors) author.type('late ')
    await when(authors, () => authors.every(({ text }) => text === authors[0]?.text))
    t.same(authors.map((author) => author.acknowledged.length), acknowledged, 'nothing is acknowledged')
  } finally {
    thaw()
  }
  for (const port of ports) await answers(port, '/health/ready', ({ status }) => status === 200)
  await when(authors, () => agree(authors))
  const stored = await readStored(databaseUrl, room)
  t.equal(stored.getText('text').toString(), authors[0]?.text, 'PostgreSQL has all of it')
  t.ok(holdsAcknowledged(stored, authors))
  await allIsWell(t, room, authors, ports)
  t.same(authors.map(({ connections }) => connections), [1, 1], 'no client had to reconnect')
})
