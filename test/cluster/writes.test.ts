import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { asDjango } from '../helper.ts'
import { connectHocuspocus } from '../clients/hocuspocus-client.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'
import { synced, type Client } from '../clients/client.ts'
import { when } from '../clients/changes.ts'
import { eventually } from '../clients/eventually.ts'
import { answers, startNodes } from './nodes.ts'

/* Three nodes: what Django writes over HTTP on one of them, and people who have the document open on others. */
const cluster = await startNodes(3)
t.teardown(() => cluster.stop())
const { ports, redisLinks, postgres } = cluster

interface Answer { readonly status: number, readonly body: string, readonly headers: Headers }

/** Sends a request to a node, as Django does. A body is markdown. */
async function send (node: number, method: string, room: string, body?: string, query = ''): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${ports[node]}/collaboration/api/documents/${room}/${query}`, {
    method,
    headers: { ...asDjango, [body === undefined ? 'accept' : 'content-type']: 'text/markdown' },
    ...body !== undefined && { body },
  })
  return { status: response.status, body: await response.text(), headers: response.headers }
}

/** A client of each protocol on this node. */
function bothOn (t: Test, node: number, room: string): Client[] {
  const url = `ws://127.0.0.1:${ports[node]}`
  return [connectYWebsocket(t, url, room), connectHocuspocus(t, url, room)]
}

const fragmentOf = (doc: Y.Doc): Y.XmlFragment => doc.getXmlFragment('document-store')

/** The texts of a document's blocks. */
function textsOf (doc: Y.Doc): string[] {
  const texts: string[] = []
  for (const node of fragmentOf(doc).createTreeWalker((node) => node instanceof Y.XmlText)) {
    texts.push((node as Y.XmlText).toString().replaceAll(/<[^>]*>/g, ''))
  }
  return texts
}

const haveAll = async (clients: readonly Client[], ...texts: string[]): Promise<void> => {
  await when(clients, () => clients.every(({ doc }) => textsOf(doc).join('|') === texts.join('|')))
}

await t.test('Of fifty requests on three nodes that create a document, one does; those who wait in the empty room get it', async (t) => {
  const clients = [0, 1, 2].flatMap((node) => bothOn(t, node, 'new'))
  await synced(...clients)
  const made = await Promise.all(Array.from({ length: 50 }, (_, at) => send(at % 3, 'POST', 'new', `text ${at}`)))
  const statuses = made.map(({ status }) => status)
  t.equal(statuses.filter((status) => status === 201).length, 1)
  t.equal(statuses.filter((status) => status === 409).length, 49)
  await haveAll(clients, `text ${statuses.indexOf(201)}`)
  for (const node of [0, 1, 2]) t.equal((await send(node, 'GET', 'new')).body, `text ${statuses.indexOf(201)}\n`)
})

await t.test('A write reaches everybody, whether the document is open on its node, on others or nowhere', async (t) => {
  t.equal((await send(0, 'POST', 'wide', 'zero')).status, 201)
  t.equal((await send(1, 'PATCH', 'wide', 'one')).status, 204)
  const elsewhere = bothOn(t, 2, 'wide')
  await haveAll(elsewhere, 'zero', 'one')
  t.equal((await send(0, 'PATCH', 'wide', 'two')).status, 204)
  await haveAll(elsewhere, 'zero', 'one', 'two')
  const everywhere = [...elsewhere, ...bothOn(t, 0, 'wide'), ...bothOn(t, 1, 'wide')]
  await synced(...everywhere)
  for (const [node, text] of ['three', 'four', 'five'].entries()) {
    t.equal((await send(node, 'PATCH', 'wide', text)).status, 204)
  }
  await haveAll(everywhere, 'zero', 'one', 'two', 'three', 'four', 'five')
  t.equal((await send(1, 'PUT', 'wide', 'zero\n\nall')).status, 204)
  await haveAll(everywhere, 'zero', 'all')
  for (const client of everywhere) client.destroy()
  t.equal((await send(2, 'PATCH', 'wide', 'nobody')).status, 204)
  t.equal((await send(0, 'GET', 'wide')).body, 'zero\n\nall\n\nnobody\n')
})

await t.test('A large write reaches everybody too', async (t) => {
  t.equal((await send(0, 'POST', 'large', 'zero')).status, 201)
  const clients = [...bothOn(t, 0, 'large'), ...bothOn(t, 1, 'large')]
  await synced(...clients)
  const text = 'word '.repeat(100_000).trim()
  t.equal((await send(2, 'PATCH', 'large', text)).status, 204)
  await haveAll(clients, 'zero', text)
})

await t.test('A writer that adds a sentence every 100 ms, while three people type: all agree, and no cursor moves', async (t) => {
  const sentences = 30
  const marks = ['§', '¶', '†']
  await send(0, 'POST', 'busy', [...marks.map((mark, at) => `Paragraph ${at} with a ${mark} in it`), 'A last one with an eror'].join('\n\n'))
  const people = marks.map((_, node) => node === 1 ? connectHocuspocus(t, `ws://127.0.0.1:${ports[node]}`, 'busy') : connectYWebsocket(t, `ws://127.0.0.1:${ports[node]}`, 'busy'))
  await synced(...people)
  const cursors = people.map(({ doc }, at) => {
    const text = textNode(doc, at)
    return Y.createRelativePositionFromTypeIndex(text, text.toString().indexOf(marks[at] ?? ''))
  })
  let typed = 0
  const timer = setInterval(() => {
    for (const [at, { doc }] of people.entries()) {
      const text = textNode(doc, at)
      text.insert(typed % 2 === 0 ? 0 : text.length, `${at}`)
    }
    typed++
  }, 20)
  t.teardown(() => { clearInterval(timer) })
  for (let at = 0; at < sentences; at++) {
    t.equal((await send(at % 3, 'PATCH', 'busy', `Sentence ${at}.`)).status, 204)
    if (at === sentences / 2) {
      const id = blockIdOf(people[0]!.doc, marks.length)
      const { status } = await send(0, 'PATCH', 'busy', 'A last one with an error', `?replace=${id}`)
      t.equal(status, 204, 'somebody corrects a word meanwhile')
    }
    // Everybody types some letters between two sentences.
    await eventually(() => typed >= 5 * (at + 1))
  }
  clearInterval(timer)
  const all = marks.length + 1 + sentences
  await when(people, () => people.every(({ doc }) => `${textsOf(doc)}` === `${textsOf(people[0]!.doc)}` && textsOf(doc).length === all))
  const texts = textsOf(people[0]!.doc)
  t.same(texts.slice(marks.length), ['A last one with an error', ...Array.from({ length: sentences }, (_, at) => `Sentence ${at}.`)])
  for (const [at, mark] of marks.entries()) {
    const own = texts[at] ?? ''
    const before = `${at}`.repeat(Math.ceil(typed / 2))
    const after = `${at}`.repeat(Math.floor(typed / 2))
    t.equal(own, `${before}Paragraph ${at} with a ${mark} in it${after}`, 'everything that was typed is there')
    for (const { doc } of people) {
      const place = Y.createAbsolutePositionFromRelativePosition(cursors[at]!, doc)
      t.equal(place?.type.toString()[place.index], mark, 'the cursor is where it was')
    }
  }
})

await t.test('A write during a cut between the nodes arrives through the store', async (t) => {
  t.equal((await send(0, 'POST', 'cut', 'zero')).status, 201)
  const clients = bothOn(t, 1, 'cut')
  await haveAll(clients, 'zero')
  redisLinks[1]?.cut()
  t.equal((await send(0, 'PATCH', 'cut', 'one')).status, 204)
  await haveAll(clients, 'zero', 'one')
  redisLinks[1]?.restore()
  t.equal((await send(0, 'PATCH', 'cut', 'two')).status, 204)
  await haveAll(clients, 'zero', 'one', 'two')
})

await t.test('While the store is down every write is refused, and nothing is changed', async (t) => {
  t.equal((await send(0, 'POST', 'down', 'zero')).status, 201)
  await postgres.restart(async () => {
    for (const [method, room] of [['POST', 'other'], ['PUT', 'down'], ['PATCH', 'down']] as const) {
      const { status, body, headers } = await send(1, method, room, 'one')
      t.match([status, JSON.parse(body), headers.get('retry-after')], [503, { error: 'The store is unavailable: try again' }, '2'], method)
    }
  })
  for (const port of ports) await answers(port, '/health/ready', ({ status }) => status === 200)
  t.equal((await send(2, 'GET', 'down')).body, 'zero\n')
  t.equal((await send(0, 'GET', 'other')).status, 404)
  t.equal((await send(0, 'PATCH', 'down', 'one')).status, 204)
})

function blockIdOf (doc: Y.Doc, block: number): string {
  const [group] = fragmentOf(doc).toArray() as Y.XmlElement[]
  return (group?.get(block) as Y.XmlElement).getAttribute('id') ?? ''
}

/** The text of a block. */
function textNode (doc: Y.Doc, block: number): Y.XmlText {
  const texts = [...fragmentOf(doc).createTreeWalker((node) => node instanceof Y.XmlText)] as Y.XmlText[]
  const text = texts[block]
  if (text === undefined) throw new Error(`There is no block ${block}`)
  return text
}
