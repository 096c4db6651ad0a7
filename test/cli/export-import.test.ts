import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import * as Y from 'yjs'
import { convert } from '../../src/convert/convert.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { cli } from './run-cli.ts'
import { fill, folder, holdsAll, read, start, typed, words } from './filled-store.ts'

await t.test('export and import handle all documents, whatever their names', async (t) => {
  const [one, files, two] = [await folder(t), join(await folder(t), 'files'), await folder(t)]
  const store = await start(t, one)
  await fill(store)
  t.match(await cli(['export', '--to', files, '--store', one]), { code: 0, out: /6 documents written/ })
  t.equal((await readdir(files)).length, 7)
  t.match(await cli(['import', files, '--store', two]), { code: 0, out: /6 documents created, 0 merged, 0 left unchanged/ })
  const copy = await start(t, two)
  await holdsAll(t, copy)
  const index = await readFile(join(files, 'documents.jsonl'), 'utf8')
  t.match(await cli(['export', '--to', files, '--store', one]), { code: 1, out: '', err: /^There is an export in .*files already: name another folder, or add --overwrite\n$/ })
  await store.append([{ document: 'plain', update: typed('late') }])
  t.match(await cli(['export', '--to', files, '--store', one, '--overwrite']), { code: 0, out: /6 documents written/ })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(join(files, 'plain.yjs')))
  t.match(doc.getText('t').toString(), /late/)
  t.equal(await readFile(join(files, 'documents.jsonl'), 'utf8'), index, 'each file is in the index once')
})

await t.test('export writes a document that is not a BlockNote document as .yjs and .txt', async (t) => {
  const [path, files] = [await folder(t), await folder(t)]
  const store = await start(t, path)
  const doc = new Y.Doc()
  doc.getMap('settings').set('wide', true)
  doc.getText('b').insert(0, 'second')
  doc.getText('a').insert(0, 'first')
  const tiptap = new Y.Doc()
  tiptap.getXmlFragment('document-store').insert(0, [new Y.XmlElement('paragraph')])
  const blocks = convert({ input: Buffer.from('# Plan\n'), from: 'markdown', to: 'yjs' }, standardTable).body
  await store.append([
    { document: 'texts', update: Y.encodeStateAsUpdate(doc) },
    { document: 'tiptap', update: Y.encodeStateAsUpdate(tiptap) },
    { document: 'plan', update: blocks },
    { document: 'nothing', update: Y.encodeStateAsUpdate(new Y.Doc()) },
  ])
  for (const format of ['markdown', 'json']) {
    const to = join(files, format)
    t.match(await cli(['export', '--to', to, '--format', format, '--store', path]), {
      code: 1,
      out: /^4 documents written to .* \(2 in another format\), 0 failed\n$/,
      err: '"texts": not a BlockNote document: written as .yjs and .txt\n"tiptap": not a BlockNote document: written as .yjs\n',
    }, format)
    t.equal(await readFile(join(to, 'texts.txt'), 'utf8'), 'first\n\nsecond\n')
    const read = new Y.Doc()
    Y.applyUpdate(read, await readFile(join(to, 'texts.yjs')))
    t.equal(read.getMap('settings').get('wide'), true)
    const extension = format === 'json' ? 'json' : 'md'
    t.strictSame((await readdir(to)).sort(), ['documents.jsonl', `nothing.${extension}`, `plan.${extension}`, 'texts.txt', 'texts.yjs', 'tiptap.yjs'])
  }
  t.equal(await readFile(join(files, 'markdown', 'plan.md'), 'utf8'), '# Plan\n')
})

await t.test('export and import handle single documents', async (t) => {
  const [one, files, two] = [await folder(t), await folder(t), await folder(t)]
  const store = await start(t, one)
  await fill(store)
  t.match(await cli(['export', '--to', files, '--store', one, '文档', 'none']), { code: 1, out: /1 document written/, err: /"none": There is no such document/ })
  const file = join(files, `${encodeURIComponent('文档')}.yjs`)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(file))
  t.equal(doc.getText('t').toString(), words('文档').join(''))
  t.match(await cli(['import', file, '--store', two]), { code: 0, out: /1 document created/ })
  t.match(await cli(['import', file, '--store', two]), { code: 0, out: /1 left unchanged/, err: /exists already/ })
  t.match(await cli(['import', '--merge', file, '--store', two]), { code: 0, out: /1 merged/ })
  await writeFile(join(files, 'broken.yjs'), 'no update')
  t.match(await cli(['import', join(files, 'broken.yjs'), '--store', two]), { code: 1, out: /1 file could not be read/, err: /broken.yjs: The update is malformed/ })
  await writeFile(join(files, 'x.doc'), '')
  t.match(await cli(['import', join(files, 'x.doc'), '--store', two]), { code: 1, err: /can be imported: .yjs, .md, .json/ })
  const copy = await start(t, two)
  t.equal(await read(copy, '文档'), words('文档').join(''))
  t.match(await cli(['import', file, '--store', two]), { code: 1, err: /A service uses the store in .* stop the service, run this command/ }, 'not under a running service')
})

await t.test('export and import handle markdown and JSON', async (t) => {
  const [files, store] = [await folder(t), await folder(t)]
  await writeFile(join(files, 'plan.md'), '# Plan\n\n* one\n* two\n')
  t.match(await cli(['import', join(files, 'plan.md'), '--store', store]), { code: 0, out: /1 document created/ })
  for (const format of ['json', 'markdown']) {
    t.match(await cli(['export', '--to', join(files, format), '--format', format, '--store', store]), { code: 0, out: /1 document written/ }, format)
  }
  t.equal(await readFile(join(files, 'markdown', 'plan.md'), 'utf8'), '# Plan\n\n* one\n* two\n')
  t.match(JSON.parse(await readFile(join(files, 'json', 'plan.json'), 'utf8')), [{ type: 'heading' }, { type: 'bulletListItem' }, { type: 'bulletListItem' }])
  const again = await folder(t)
  t.match(await cli(['import', join(files, 'json', 'plan.json'), '--store', again]), { code: 0, out: /1 document created/ })
  t.match(await cli(['check', '--store', again]), { code: 0 })
})

await t.test('import reads math if the setting allows it', async (t) => {
  const [files, without, withMath] = [await folder(t), await folder(t), await folder(t)]
  await writeFile(join(files, 'sums.md'), '$x$\n')
  const imported = async (store: string, environment?: Record<string, string>) => {
    t.match(await cli(['import', join(files, 'sums.md'), '--store', store], environment), { code: 0 })
    await cli(['export', '--to', join(store, 'files'), '--format', 'json', '--store', store])
    return JSON.parse(await readFile(join(store, 'files', 'sums.json'), 'utf8'))
  }
  t.match(await imported(without), [{ content: [{ type: 'text', text: '$x$' }] }])
  t.match(await imported(withMath, { CONVERSION_MATH: 'True' }), [{ content: [{ type: 'math', content: 'x' }] }])
})
