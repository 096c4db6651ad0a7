import t, { type Test } from 'tap'
import { type DocumentEditorOptions, openDocumentEditor } from '../../../src/documents/edit/document-editor.ts'
import { BlockNotFound, DamagedState } from '../../../src/documents/edit/edit-failures.ts'
import { blocksOf, bytes, documentOf, stateOf } from './edited.ts'

async function open (t: Test, options: Partial<DocumentEditorOptions> = {}) {
  const limits = { threads: 1, maxQueue: 5, maxHeldBytes: 2 ** 20, deadlineMs: 20_000, memoryMb: 256 }
  const editor = await openDocumentEditor({ ...limits, ...options })
  t.teardown(() => editor.close())
  return editor
}

const state = documentOf([{ id: 'a', content: 'one' }])

await t.test('An edit is made in a thread, and leaves its input as it is', async (t) => {
  const editor = await open(t)
  const input = bytes('one\n\ntwo')
  const { update, dropped } = await editor.edit({ type: 'replace', state, input, from: 'markdown' })
  t.match(blocksOf(stateOf(state, update)), [{ id: 'a', content: [{ text: 'one' }] }, { content: [{ text: 'two' }] }])
  t.same(dropped, [])
  t.ok(state.byteLength > 0 && input.byteLength > 0)
  t.equal(editor.stats().completed, 1)
  t.match(await editor.edit({ type: 'replace', state, input: bytes('one'), from: 'markdown' }), { update: undefined, dropped: [] })
})

await t.test('A failure of the thread is the same error outside', async (t) => {
  const editor = await open(t)
  const damaged = Uint8Array.of(9, 9)
  await t.rejects(editor.edit({ type: 'insert', state, input: bytes('x'), from: 'markdown', position: { after: 'b' } }), new BlockNotFound())
  await t.rejects(editor.edit({ type: 'replace', state: damaged, input: bytes('x'), from: 'markdown' }), new DamagedState())
  await t.rejects(editor.edit({ type: 'merge', state, input: damaged }), { name: 'InvalidContent', reason: 'invalid' })
  await t.rejects(editor.edit({ type: 'create', input: bytes('{'), from: 'json' }), { reason: 'invalid', message: 'The content is not JSON' })
})

await t.test('A failure says which limit was met', async (t) => {
  const slow = { type: 'create', input: bytes('a *b* '.repeat(200_000)), from: 'markdown' } as const
  const editor = await open(t, { maxQueue: 0, deadlineMs: 1 })
  const first = editor.edit(slow)
  await t.rejects(editor.edit(slow), { name: 'ConversionFailure', reason: 'busy' })
  await t.rejects(first, { name: 'ConversionFailure', reason: 'deadline' })
  await t.rejects(editor.edit(slow, AbortSignal.abort()), { name: 'ConversionFailure', reason: 'cancelled' })
  const small = await open(t, { memoryMb: 16, deadlineMs: 0 })
  await t.rejects(small.edit(slow), { name: 'ConversionFailure', reason: 'memory' })
})
