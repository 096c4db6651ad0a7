import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as Y from 'yjs'
import { loadBlockTable } from '../../src/convert/blocks/blocks-module.ts'
import { convert } from '../../src/convert/convert.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { listen, secret } from '../helper.ts'
import { python, requirePython } from '../processes.ts'
import { rootUrl } from '../root.ts'

// Runs the examples of docs/conversion.md unchanged, except for the port.
const text = readFileSync(new URL('docs/conversion.md', rootUrl), 'utf8')
const run = promisify(execFile)

function example (language: string): string {
  const found = new RegExp('^```' + language + '\\n([^]*?)^```', 'm').exec(text)?.[1]
  if (found === undefined) throw new Error(`The page has no example in ${language}`)
  return found
}

await t.test('The example with curl works', async (t) => {
  const { port } = await listen(t)
  const cwd = t.testdir({ 'notes.md': '# Notes\n' })
  const env = { PATH: process.env['PATH'], COLLABORATION_SERVER_SECRET: secret }
  const shell = async (script: string) => (await run('bash', ['-c', script.replace('4444', String(port))], { cwd, env })).stdout
  t.equal(await shell(example('sh')), '<h1>Notes</h1>')
  const [command = '', status = '', header = '', , body = ''] = example('console').trim().split('\n')
  const answer = await shell(command.replace(/^\$ /, ''))
  for (const line of [status, header, body]) t.match(answer, line)
})

await t.test('The example for Django works', async (t) => {
  requirePython({ django: 'python3-django', requests: 'python3-requests' })
  const { url } = await listen(t)
  const program = `
from django.conf import settings
settings.configure(Y_PROVIDER_BASE_URL="${url}", COLLABORATION_SERVER_SECRET="${secret}")
${example('python')}
print(markdown_to_yjs("# Hello").hex())
`
  const { stdout } = await run(python, ['-c', program])
  const document = new Y.Doc()
  Y.applyUpdate(document, Buffer.from(stdout.trim(), 'hex'))
  t.match(document.getXmlFragment('document-store').toString(), />Hello<\/heading>/)
})

await t.test('The example of a blocks module works', async (t) => {
  const folder = t.testdir({ 'my-blocks.mjs': example('js') })
  const table = await loadBlockTable(`file://${join(folder, 'my-blocks.mjs')}`)
  t.not(table, standardTable)
  const input = new TextEncoder().encode('[{"type":"callout","props":{"emoji":"🔥","backgroundColor":"red"},"content":[{"type":"text","text":"a<b","styles":{"bold":true}}]}]')
  for (const to of ['html', 'markdown', 'text'] as const) {
    t.same(convert({ input, from: 'json', to }, table), convert({ input, from: 'json', to }, standardTable), to)
  }
  const { body } = convert({ input, from: 'json', to: 'html' }, table)
  const read = JSON.parse(new TextDecoder().decode(convert({ input: body, from: 'html', to: 'json' }, table).body)) as unknown
  t.match(read, [{ type: 'callout', props: { emoji: '🔥', backgroundColor: 'red' } }])
})
