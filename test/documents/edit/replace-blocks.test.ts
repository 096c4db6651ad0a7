import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import type { Block } from '../../../src/convert/blocks/block.ts'
import { anyBlocks } from '../../convert/arbitrary-blocks.ts'
import { blockDocuments, markdownDocuments } from '../../convert/documents.ts'
import { oracleBlocks } from '../../convert/oracle.ts'
import { withoutIds } from '../../convert/without-ids.ts'
import { tries } from '../../update/tries.ts'
import { blockFormats, blocksOf, complete, docOf, documentOf, fragmentOf, read, replaced, stateOf, textsOf, xmlOf } from './edited.ts'

/** Seed of the random documents; `EDIT_SEED` tries others. */
const seed = Number(process.env['EDIT_SEED'] ?? 7)

/** Removes, adds and changes some blocks. */
function changed (blocks: readonly Block[], others: readonly Block[], picks: readonly number[]): Block[] {
  const result: Block[] = structuredClone([...blocks])
  for (const pick of picks) {
    const at = pick % (result.length || 1)
    const block = result[at]
    const other = others[pick % (others.length || 1)]
    if (pick % 3 === 0) result.splice(at, 1)
    else if (pick % 3 === 1 && other !== undefined) result.splice(at, 0, structuredClone(other))
    else if (Array.isArray(block?.content)) block.content.push({ type: 'text', text: ' more', styles: {} })
  }
  return complete(result)
}

const picks = fc.array(fc.nat(1000), { maxLength: 5 })

await t.test('A document that is replaced by what was read from it does not change, in any format', async () => {
  for (const blocks of Object.values(blockDocuments)) {
    for (const from of blockFormats) {
      const state = documentOf(blocks)
      equal(replaced(state, read(state, from), from), undefined, `${from} ${JSON.stringify(blocks)}`)
    }
  }
  fc.assert(fc.property(anyBlocks(), fc.constantFrom(...blockFormats), (input, from) => {
    const state = documentOf(input)
    equal(replaced(state, read(state, from), from), undefined)
  }), { numRuns: tries(150), seed })
})

await t.test('A replaced document reads as the input, in any format', async () => {
  fc.assert(fc.property(anyBlocks(), anyBlocks(), fc.constantFrom(...blockFormats), picks, (one, two, from, picks) => {
    const state = documentOf(one)
    const input = read(documentOf(changed(blocksOf(state), complete(two), picks)), from)
    const isEmpty = blocksOf(stateOf(replaced(stateOf(), input, from))).length === 0
    if (isEmpty) return
    const after = stateOf(state, replaced(state, input, from))
    const again = read(stateOf(replaced(stateOf(), input, from)), from)
    const found = read(after, from)
    if (from === 'json') deepEqual(JSON.parse(found), JSON.parse(input))
    else ok(sameIn(from, found, input) || sameIn(from, found, again), `${found}\n---\n${input}`)
  }), { numRuns: tries(200), seed })
})

/** Whether two texts of a format are read as the same blocks. */
function sameIn (from: 'html' | 'markdown', a: string, b: string): boolean {
  const blocks = (input: string) => JSON.stringify(withoutIds(blocksOf(stateOf(replaced(stateOf(), input, from)))))
  const [one, two] = [blocks(a), blocks(b)]
  return one === two
}

await t.test('Edits at the same time converge', async () => {
  fc.assert(fc.property(anyBlocks(), anyBlocks(), fc.constantFrom(...blockFormats), picks, (one, two, from, picks) => {
    const state = documentOf(one)
    const update = replaced(state, read(documentOf(changed(blocksOf(state), complete(two), picks)), from), from)
    const person = docOf(state)
    const before = Y.encodeStateVector(person)
    const text = textsOf(person)[picks.length % (textsOf(person).length || 1)]
    text?.insert(0, 'typed')
    const typed = Y.encodeStateAsUpdate(person, before)
    equal(xmlOf(stateOf(state, update, typed)), xmlOf(stateOf(state, typed, update)))
  }), { numRuns: tries(100), seed })
})

await t.test('Markdown documents can be replaced by each other', async () => {
  for (const before of markdownDocuments) {
    const state = stateOf(replaced(stateOf(), before, 'markdown'))
    for (const input of markdownDocuments) {
      const after = stateOf(state, replaced(state, input, 'markdown'))
      const again = read(stateOf(replaced(stateOf(), input, 'markdown')), 'markdown')
      const found = read(after, 'markdown')
      ok(sameIn('markdown', found, input) || sameIn('markdown', found, again), `${before}\n---\n${input}`)
    }
  }
})

/** A document with what markdown cannot hold: colours, alignment, a comment, a toggle, empty paragraphs. */
function richDocument (): Uint8Array {
  const doc = docOf(documentOf([
    { id: 'title', type: 'heading', props: { level: 1, textColor: 'red' }, content: 'The title' },
    { id: 'empty', content: '' },
    { id: 'text', props: { textAlignment: 'center' }, content: [{ type: 'text', text: 'One two three four five', styles: { textColor: 'blue' } }] },
    { id: 'list', type: 'toggleListItem', content: 'Toggle', children: [{ id: 'inner', content: 'Inside of it' }] },
    { id: 'last', content: '' },
  ]))
  textsOf(doc)[1]?.format(4, 9, { 'comment--abcdefgh': { orphan: false, threadId: 'thread' } })
  return Y.encodeStateAsUpdate(doc)
}

await t.test('Markdown changes one word, and keeps all that it cannot hold', async (t) => {
  const state = richDocument()
  const markdown = read(state, 'markdown')
  t.equal(replaced(state, markdown, 'markdown'), undefined)
  const update = replaced(state, markdown.replace('three', '3'), 'markdown')
  t.ok(update !== undefined && update.length < 60, `${update?.length} bytes`)
  t.equal(xmlOf(stateOf(state, update)), xmlOf(state).replace('three', '3'))
})

await t.test('A new block in markdown stands beside the blocks that markdown does not show', async (t) => {
  const state = richDocument()
  const markdown = read(state, 'markdown')
  const blocks = blocksOf(stateOf(state, replaced(state, markdown.replace('One two', 'A new one\n\nOne two'), 'markdown')))
  t.same(blocks.map(({ id }) => id).filter((id) => id.length < 9), ['title', 'empty', 'text', 'list', 'last'])
  t.equal(blocks.length, 6)
  t.equal(blocks[0]?.props['textColor'], 'red')
})

await t.test('A removed block leaves all others as they are', async (t) => {
  const state = richDocument()
  const input = read(state, 'markdown').replace(/One two.*\n\n/, '')
  const update = replaced(state, input, 'markdown')
  t.ok(update !== undefined && update.length < 40)
  t.same(blocksOf(stateOf(state, update)).map(({ id }) => id), ['title', 'empty', 'list', 'last'])
})

await t.test('Columns stay while what is in them changes', async (t) => {
  const column = (text: string) => ({ type: 'column', children: [{ content: text }] })
  const state = documentOf([{ type: 'columnList', children: [column('On the left'), column('On the right')] }, { content: 'below' }])
  const input = read(state, 'markdown').replace('left', 'left side').replace('\n\nbelow', '\n\nnew\n\nbelow')
  const [columns, fresh, below] = blocksOf(stateOf(state, replaced(state, input, 'markdown')))
  t.same(columns?.children.map(({ children }) => children.map(({ content }) => content)), [
    [[{ type: 'text', text: 'On the left side', styles: {} }]],
    [[{ type: 'text', text: 'On the right', styles: {} }]],
  ])
  t.match([fresh, below], [{ content: [{ text: 'new' }] }, { content: [{ text: 'below' }] }])
})

await t.test('A paragraph that becomes a heading keeps its container, its id and its colours', async (t) => {
  const state = documentOf([{ id: 'a', props: { textColor: 'red' }, content: 'A line that stays' }, { id: 'b', content: 'below' }])
  const doc = docOf(state)
  const containerOf = () => (fragmentOf(doc).firstChild as Y.XmlElement).firstChild
  const container = containerOf()
  Y.applyUpdate(doc, replaced(state, read(state, 'markdown').replace('A line', '# A line'), 'markdown')!)
  t.equal(containerOf(), container)
  const [block] = blocksOf(Y.encodeStateAsUpdate(doc))
  t.match(block, { id: 'a', type: 'heading', props: { textColor: 'red' }, content: [{ text: 'A line that stays' }] })
})

await t.test('Blocks of JSON are found by their ids, also where they were moved, with their comments', async (t) => {
  const state = richDocument()
  const blocks = JSON.parse(read(state, 'json')) as Block[]
  const moved = [blocks[2], ...blocks.filter(({ id }) => id !== 'text'), { content: 'fresh' }]
  const after = stateOf(state, replaced(state, moved, 'json'))
  t.same(blocksOf(after).slice(0, 5).map(({ id }) => id), ['text', 'title', 'empty', 'list', 'last'])
  t.match(xmlOf(after), 'comment--abcdefgh')
})

await t.test('A list without blocks leaves one empty paragraph, and an empty document as it is', async (t) => {
  t.match(blocksOf(stateOf(documentOf([{ content: 'a' }]), replaced(documentOf([{ content: 'a' }]), [], 'json'))), [{ type: 'paragraph', content: [] }])
  t.equal(replaced(stateOf(), [], 'json'), undefined)
})

await t.test('Cursors stay at their characters in blocks that keep their place', async (t) => {
  const lines = Array.from({ length: 60 }, (_, index) => `Line number ${index} with words`)
  const state = documentOf(lines.map((content) => ({ content })))
  const doc = docOf(state)
  const cursors = textsOf(doc).map((text) => Y.createRelativePositionFromTypeIndex(text, 5))
  const edited = (line: string) => line.replace('words', 'other words')
  const input = lines.flatMap((line, index) => {
    return index % 10 === 3 ? [] : index % 10 === 6 ? ['new', edited(line)] : [edited(line)]
  })
  Y.applyUpdate(doc, replaced(state, input.join('\n\n'), 'markdown')!)
  cursors.forEach((cursor, index) => {
    if (index % 10 === 3) return
    const place = Y.createAbsolutePositionFromRelativePosition(cursor, doc)
    t.equal(place?.index, 5)
    t.match(place?.type.toString(), `Line number ${index} with other words`)
  })
})

await t.test('Ten changed blocks of a megabyte make an update of less than a kilobyte', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, index) => `Paragraph ${index} has a sentence of its own, ${'and words '.repeat(15)}at its end.`)
  const state = documentOf(lines.map((content) => ({ content })))
  const input = lines.map((line, index) => index % 500 === 7 ? line.replace('sentence', 'phrase') : line)
  const update = replaced(state, input.join('\n\n'), 'markdown')
  t.ok(update !== undefined && update.length < 1000, `${update?.length} bytes`)
})

await t.test('Formats that two people gave to the same text at the same time can be removed', async (t) => {
  const state = documentOf([{ content: 'one two three' }])
  const updates = [[0, 7], [4, 9], [0, 13]].map(([from = 0, length = 0]) => {
    const doc = docOf(state)
    const before = Y.encodeStateVector(doc)
    textsOf(doc)[0]?.format(from, Math.min(length, 13 - from), { bold: {} })
    return Y.encodeStateAsUpdate(doc, before)
  })
  // Merged as a store does, without a document that would tidy the formats.
  const stored = Y.mergeUpdates([state, ...updates])
  const update = replaced(stored, 'one two three', 'markdown')
  const [block] = blocksOf(Y.mergeUpdates([stored, update!]))
  t.same(block?.content, [{ type: 'text', text: 'one two three', styles: {} }])
})

await t.test('BlockNote reads what was replaced as the input', async (t) => {
  const documents = Object.values(blockDocuments)
  documents.forEach((before, index) => {
    const after = complete(documents[(index + 1) % documents.length])
    const state = documentOf(before)
    t.same(oracleBlocks(stateOf(state, replaced(state, after, 'json'))), oracleBlocks(documentOf(after)))
  })
})
