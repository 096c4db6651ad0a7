import t from 'tap'
import * as Y from 'yjs'
import { Author } from '../clients/author.ts'
import { when } from '../clients/changes.ts'
import { Random } from '../crash/random.ts'
import { listen } from '../helper.ts'
import { inLongRun } from '../long.ts'
import { call, documentUrl, json, markdown, markdownOf } from '../routes/documents.ts'

/*
 * People who type and random requests over HTTP, one after the other and at the same time. Whatever happens, what is
 * read is the document of all edits that were acknowledged, and every editor shows it. Y_PROVIDER_MODEL_STEPS sets the
 * steps; Y_PROVIDER_SEED repeats the choices, but not the timing.
 */
const steps = Number(process.env['Y_PROVIDER_MODEL_STEPS'] ?? inLongRun(60, 3000))
const seed = Number(process.env['Y_PROVIDER_SEED'] ?? Date.now() % 1_000_000)
const room = 'model'

await t.test(`After ${steps} random edits by people and over HTTP all agree (seed ${seed})`, async (t) => {
  const random = new Random(seed)
  const { app, port } = await listen(t)
  await call(app, 'POST', documentUrl(room), 'one\n\ntwo\n\nthree')
  const people = [1, 2, 3].map(() => new Author(room, [port]))
  t.teardown(() => { for (const person of people) person.leave() })
  const merged: Uint8Array[] = []
  let count = 0
  let copies = 0

  const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!
  const word = (): string => `word${++count}`
  const allAgree = async (): Promise<void> => {
    const { rawPayload } = await call(app, 'GET', documentUrl(room))
    const stored = docWith(rawPayload)
    await when(people, () => people.every(({ doc, isSaved }) => isSaved && describe(doc) === describe(stored)))
  }
  const quiet = async (): Promise<void> => {
    await when(people, () => people.every(({ isSaved }) => isSaved))
    await allAgree()
  }
  const type = (): void => {
    const { doc } = pick(people)
    const texts = textsOf(doc)
    if (texts.length === 0 || random.below(4) === 0) {
      doc.getText('notes').insert(0, `${word()} `)
      return
    }
    const text = pick(texts)
    const at = random.below(text.length + 1)
    if (random.below(4) === 0) text.delete(at, Math.min(3, text.length - at))
    else text.insert(at, word())
  }
  const blockId = async (): Promise<string | undefined> => {
    const blocks = (await call(app, 'GET', documentUrl(room), undefined, { accept: json })).json<Array<{ id: string }>>()
    return blocks.length === 0 ? undefined : pick(blocks).id
  }
  const insert = async (): Promise<void> => {
    const id = await blockId()
    const places = ['', '?position=start', '?position=end', ...id === undefined ? [] : [`?before=${id}`, `?after=${id}`, `?replace=${id}`]]
    const text = word()
    const { statusCode } = await call(app, 'PATCH', documentUrl(room, pick(places)), text)
    // Somebody can have replaced the block meanwhile.
    if (statusCode !== 422) t.equal(statusCode, 204)
  }
  const changed = async (): Promise<string> => {
    const paragraphs = (await markdownOf(app, room)).trim().split('\n\n')
    const at = random.below(paragraphs.length)
    paragraphs.splice(at, random.below(3), ...Array.from({ length: random.below(3) }, word))
    return `${paragraphs.join('\n\n')}\n`
  }
  const merge = async (): Promise<void> => {
    const doc = docWith((await call(app, 'GET', documentUrl(room))).rawPayload)
    const known = Y.encodeStateVector(doc)
    doc.getText('notes').insert(0, `${word()} `)
    const update = Y.encodeStateAsUpdate(doc, known)
    t.equal((await call(app, 'PATCH', documentUrl(room), update)).statusCode, 204)
    merged.push(update)
  }
  const replaceWhileQuiet = async (): Promise<void> => {
    await quiet()
    const { etag } = (await call(app, 'HEAD', documentUrl(room))).headers
    const body = await changed()
    const { statusCode } = await call(app, 'PUT', documentUrl(room), body, { 'if-match': String(etag) })
    t.equal(statusCode, 204)
    const read = await markdownOf(app, room)
    t.equal(read.trim(), body.trim(), 'what was written is read')
  }
  const refused = async (): Promise<void> => {
    await quiet()
    const before = (await call(app, 'HEAD', documentUrl(room))).headers.etag
    for (const [method, query, payload, headers, status] of [
      ['PUT', '', word(), { 'if-match': '"0"' }, 412],
      ['PATCH', '', word(), { 'if-match': '"0"' }, 412],
      ['PATCH', '?before=nothing', word(), {}, 422],
      ['PATCH', '', Uint8Array.of(9, 9), {}, 400],
      ['PUT', '', '[', { 'content-type': json }, 400],
      ['POST', '', word(), {}, 409],
    ] as const) {
      t.equal((await call(app, method, documentUrl(room, query), payload, headers)).statusCode, status)
    }
    t.equal((await call(app, 'HEAD', documentUrl(room))).headers.etag, before, 'a refusal changes nothing')
  }
  const copy = async (): Promise<void> => {
    await quiet()
    const to = `copy ${++copies}`
    const answer = await call(app, 'POST', documentUrl(room, 'copy/'), JSON.stringify({ to }), { 'content-type': 'application/json' })
    t.equal(answer.statusCode, 201)
    t.equal(await markdownOf(app, to), await markdownOf(app, room))
  }
  const atOnce = async (): Promise<void> => {
    const body = await changed()
    type()
    const answers = [insert(), merge(), call(app, 'PUT', documentUrl(room), body), insert()]
    type()
    await Promise.all(answers)
  }

  const actions = [type, type, type, insert, insert, merge, replaceWhileQuiet, refused, copy, atOnce]
  await when(people, () => people.every(({ doc }) => textsOf(doc).length === 3))
  for (let step = 1; step <= steps; step++) {
    await pick(actions)()
    if (step % 20 !== 0 && step !== steps) continue
    await quiet()
    const read = docWith((await call(app, 'GET', documentUrl(room))).rawPayload)
    const before = Buffer.from(Y.encodeStateAsUpdate(read))
    for (const { acknowledged } of people) for (const update of acknowledged) Y.applyUpdate(read, update)
    for (const update of merged) Y.applyUpdate(read, update)
    t.ok(before.equals(Y.encodeStateAsUpdate(read)), `step ${step}: what is read holds every edit that was acknowledged`)
    t.equal((await call(app, 'GET', documentUrl(room), undefined, { accept: markdown })).statusCode, 200)
  }
})

function docWith (update: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc
}

/** The content of a document, as text. */
function describe (doc: Y.Doc): string {
  return `${doc.getXmlFragment('document-store').toString()}\n${doc.getText('notes').toString()}`
}

function textsOf (doc: Y.Doc): Y.XmlText[] {
  const fragment = doc.getXmlFragment('document-store')
  return [...fragment.createTreeWalker((node) => node instanceof Y.XmlText)] as Y.XmlText[]
}
