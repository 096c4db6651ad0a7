import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { listen, secret } from '../helper.ts'
import { python, requirePython } from '../processes.ts'
import { rootUrl } from '../root.ts'
import { documentUrl, markdownOf } from '../routes/documents.ts'

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
  t.same(shown, ['# Minutes\n\nNobody came.\n'])
  for (const room of ['my-room', 'my-copy']) {
    t.equal(await markdownOf(app, room), '# Minutes\n\nEverybody came.\n\n**Next meeting:** never.\n', documentUrl(room))
  }
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
  for (const room of ['my-room', 'my-copy']) {
    t.equal(await markdownOf(app, room), '# MINUTES\n\nA paragraph below the title.\n\nNOBODY CAME.\n')
  }
  t.same(await app.store.authors('my-room', 0), ['ada'])
})
