import t from 'tap'
import * as Y from 'yjs'
import { BlockNotFound } from '../../../src/documents/edit/edit-failures.ts'
import type { InsertPosition } from '../../../src/documents/edit/edit-request.ts'
import { blocksOf, docOf, documentOf, inserted, stateOf, textsOf } from './edited.ts'

const state = documentOf([
  { id: 'a', content: 'first' },
  { id: 'b', content: 'second', children: [{ id: 'c', content: 'within' }] },
  { id: 'd', content: '' },
])

/** The ids of blocks and of those within them; `-` for new ones. */
function idsOf (blocks: ReturnType<typeof blocksOf>): unknown[] {
  return blocks.flatMap(({ id, children }) => [id.length > 1 ? '-' : id, ...children.length > 0 ? [idsOf(children)] : []])
}

const after = (position: InsertPosition, input = 'new') => idsOf(blocksOf(stateOf(state, inserted(state, input, 'markdown', position))))

t.test('Blocks are inserted at each place, and an empty last paragraph stays the last', async (t) => {
  t.same(after({ at: 'start' }), ['-', 'a', 'b', ['c'], 'd'])
  t.same(after({ at: 'end' }), ['a', 'b', ['c'], '-', 'd'])
  t.same(after({ before: 'a' }), ['-', 'a', 'b', ['c'], 'd'])
  t.same(after({ after: 'b' }, 'new\n\nnew'), ['a', 'b', ['c'], '-', '-', 'd'])
  t.same(after({ before: 'c' }), ['a', 'b', ['-', 'c'], 'd'])
  t.same(after({ after: 'c' }), ['a', 'b', ['c', '-'], 'd'])
})

t.test('A block is replaced by what differs, so that its id and cursors stay', async (t) => {
  const doc = docOf(state)
  const cursor = Y.createRelativePositionFromTypeIndex(textsOf(doc)[2]!, 2)
  const update = inserted(state, 'within it\n\nand more', 'markdown', { replace: 'c' })
  Y.applyUpdate(doc, update!)
  t.same(idsOf(blocksOf(Y.encodeStateAsUpdate(doc))), ['a', 'b', ['c', '-'], 'd'])
  t.equal(Y.createAbsolutePositionFromRelativePosition(cursor, doc)?.index, 2)
  t.equal(textsOf(doc)[2]?.toString(), 'within it')
  t.equal(inserted(state, 'first', 'markdown', { replace: 'a' }), undefined)
})

t.test('A replaced block takes the blocks within it along, and the last one leaves an empty paragraph', async (t) => {
  t.same(after({ replace: 'b' }, 'second'), ['a', 'b', 'd'])
  const single = documentOf([{ id: 'a', content: 'only' }])
  t.match(blocksOf(stateOf(single, inserted(single, [], 'json', { replace: 'a' }))), [{ type: 'paragraph', content: [] }])
})

t.test('An unknown block is an error of its own', async (t) => {
  for (const position of [{ before: 'x' }, { after: 'x' }, { replace: 'x' }]) t.throws(() => after(position), new BlockNotFound())
})

t.test('Blocks are inserted into a document without any', async (t) => {
  for (const empty of [stateOf(), Uint8Array.of(0, 0)]) {
    const update = inserted(empty, '# Title', 'markdown', { at: 'end' })
    t.match(blocksOf(stateOf(empty, update)), [{ type: 'heading', content: [{ text: 'Title' }] }])
  }
})

t.test('New blocks keep the ids that the input gives, unless they are in use', async (t) => {
  const update = inserted(state, [{ id: 'n', content: 'x' }, { id: 'c', content: 'y' }], 'json', { at: 'start' })
  t.same(idsOf(blocksOf(stateOf(state, update))), ['n', '-', 'a', 'b', ['c'], 'd'])
})

t.test('Beside a column means beside its row, and a row of columns in a column is dissolved', async (t) => {
  const column = (id: string) => ({ id, type: 'column', children: [{ id: id.toLowerCase(), content: id }] })
  const columns = documentOf([{ id: 'R', type: 'columnList', children: [column('A'), column('B')] }])
  const ids = (position: InsertPosition, input: unknown) => idsOf(blocksOf(stateOf(columns, inserted(columns, input, 'json', position))))
  t.same(ids({ after: 'A' }, [{ id: 'n' }]), ['R', ['A', ['a'], 'B', ['b']], 'n'])
  t.same(ids({ replace: 'A' }, [{ id: 'n' }]), ['R', ['A', ['n'], 'B', ['b']]])
  t.same(ids({ after: 'a' }, [{ type: 'columnList', children: [{ type: 'column', children: [{ id: 'x' }] }, { type: 'column', children: [{ id: 'y' }] }] }]),
    ['R', ['A', ['a', 'x', 'y'], 'B', ['b']]])
})
