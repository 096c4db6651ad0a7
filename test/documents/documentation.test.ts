import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { listen, secret } from '../helper.ts'
import { python, requirePython } from '../processes.ts'
import { rootUrl } from '../root.ts'
import { markdownOf } from '../routes/documents.ts'

// Runs the examples of docs/documents.md in their order, unchanged except for the address.
const text = readFileSync(new URL('docs/documents.md', rootUrl), 'utf8')
const run = promisify(execFile)

function examples (language: string): string[] {
  const found = [...text.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```', 'gm'))].map(([, code = '']) => code)
  if (found.length < 5) throw new Error(`The page has only ${found.length} examples in ${language}`)
  return found
}

await t.test('The examples with curl work', async (t) => {
  const { app, url } = await listen(t)
  const env = { PATH: process.env['PATH'], COLLABORATION_SERVER_SECRET: secret }
  const shown: string[] = []
  for (const example of examples('sh')) {
    const { stdout } = await run('bash', ['-euc', example.replace('http://localhost:4444', url)], { env })
    if (stdout !== '') shown.push(stdout)
  }
  const [read, page, some, connections, reset] = shown
  t.equal(read, '# Minutes\n\nNobody came.\n')
  t.match(JSON.parse(page ?? ''), { documents: [{ name: 'my-copy' }, { name: 'my-room' }], next: null })
  t.match(JSON.parse(some ?? ''), { documents: [{ name: 'my-room', connections: 0 }] })
  t.same(JSON.parse(connections ?? ''), { connections: [], next: null })
  t.same(JSON.parse(reset ?? ''), { message: 'Connections reset' })
  t.equal(await markdownOf(app, 'my-room'), '# Minutes\n\nEverybody came.\n\n**Next meeting:** never.\n')
  t.ok(await app.documents.wasDeleted('my-copy'))
})

await t.test('The examples for Django work', async (t) => {
  requirePython({ django: 'python3-django', requests: 'python3-requests' })
  const { app, url } = await listen(t)
  const program = `
from django.conf import settings
settings.configure(COLLABORATION_SERVER_SECRET="${secret}")
${examples('python').join('\n').replace('http://localhost:4444', url)}
assert text == "# Minutes\\n\\nNobody came.\\n", text
`
  await run(python, ['-c', program], { env: { PATH: process.env['PATH'] } })
  t.equal(await markdownOf(app, 'my-room'), '# MINUTES\n\nA paragraph below the title.\n\nNOBODY CAME.\n')
  t.ok(await app.documents.wasDeleted('my-copy'))
  t.same(await app.store.authors('my-room', 0), ['ada'])
})
