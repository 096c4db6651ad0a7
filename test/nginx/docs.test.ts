import { readFileSync } from 'node:fs'
import t from 'tap'
import { rootUrl } from '../root.ts'

const read = (path: string) => readFileSync(new URL(path, rootUrl), 'utf8')

await t.test('docs/nginx.md shows the files that the tests run', async (t) => {
  const shown = [...read('docs/nginx.md').matchAll(/<!-- (\S+) -->\n```nginx\n(.*?)```/gs)]
  t.strictSame(shown.map(([, path]) => path), ['examples/nginx/cookies.conf.template', 'examples/nginx/auth-request.conf.template'])
  for (const [, path = '', text] of shown) t.equal(text, read(path), path)
})
