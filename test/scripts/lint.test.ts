import { ESLint } from 'eslint'
import t from 'tap'
import { root } from '../root.ts'

/** Without the rules that need types, which none of the planted code breaks and which take a second for each. */
const eslint = new ESLint({
  cwd: root,
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false } },
    rules: { '@typescript-eslint/no-floating-promises': 'off', '@typescript-eslint/no-misused-promises': 'off' },
  },
})

/** @returns the rules that reject `code` in place of an existing file */
async function rulesAgainst (code: string, filePath: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath })
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message)
}

const docstring = '/** Is documented. */\n'

const planted = [
  {
    title: 'an import from a folder further up the list',
    file: 'src/errors.ts',
    code: "import './protocol/message.ts'\n",
    rule: 'house/borders',
  },
  {
    title: 'an import of a type from a folder further up the list',
    file: 'src/errors.ts',
    code: "export type { ClientMessage } from './protocol/message.ts'\n",
    rule: 'house/borders',
  },
  {
    title: 'a route that imports the store',
    file: 'src/routes/about.ts',
    code: "import '../store/store.ts'\n",
    rule: 'house/borders',
  },
  {
    title: 'a route that imports another route',
    file: 'src/routes/about.ts',
    code: "import './convert.ts'\n",
    rule: 'house/borders',
  },
  {
    title: 'a value of the store in the engine',
    file: 'src/sync/limits.ts',
    code: "export { openLmdbStore } from '../store/lmdb/lmdb-store.ts'\n",
    rule: 'house/borders',
  },
  {
    title: 'Fastify in the engine',
    file: 'src/sync/limits.ts',
    code: "import 'fastify'\n",
    rule: 'no-restricted-imports',
  },
  {
    title: 'a plugin of Fastify in the store',
    file: 'src/store/store.ts',
    code: "import '@fastify/cors'\n",
    rule: 'no-restricted-imports',
  },
  {
    title: 'a circle of imports, even of types',
    file: 'src/protocol/awareness.ts',
    code: "export type { ClientMessage } from './message.ts'\n",
    rule: 'house/no-circles',
  },
  {
    title: 'process.env outside the plugin that reads it',
    file: 'src/sync/limits.ts',
    code: `${docstring}export const home = process.env.HOME\n`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'a public field that is not readonly',
    file: 'src/sync/limits.ts',
    code: `${docstring}export class Counter {\n  count = 0\n}\n`,
    rule: 'no-restricted-syntax',
  },
  {
    title: 'an export without a docstring',
    file: 'src/sync/limits.ts',
    code: 'export const limit = 1\n',
    rule: 'house/docstrings',
  },
  {
    title: 'a package that package.json does not declare',
    file: 'test/app.test.ts',
    code: "import 'light-my-request'\n",
    rule: 'import-x/no-extraneous-dependencies',
  },
  {
    title: 'a devDependency in the service',
    file: 'src/sync/limits.ts',
    code: "import 'y-protocols/sync'\n",
    rule: 'import-x/no-extraneous-dependencies',
  },
  {
    title: 'a package in the demo that only the service declares',
    file: 'demo/server.mjs',
    code: "import 'fastify'\n",
    rule: 'import-x/no-extraneous-dependencies',
  },
  {
    title: 'a line of more than 120 characters',
    file: 'src/sync/limits.ts',
    code: `// ${'long '.repeat(24)}line\n`,
    rule: '@stylistic/max-len',
  },
]

for (const { title, file, code, rule } of planted) {
  t.test(`The linter rejects ${title}`, async (t) => {
    t.same(await rulesAgainst(code, file), [rule])
  })
}

t.test('The linter accepts what the rules allow', async (t) => {
  const allowed = [
    ['src/sync/limits.ts', "import { DamagedDocument } from '../store/store.ts'\nthrow new DamagedDocument()\n"],
    ['src/sync/limits.ts', "export type { Store } from '../store/store.ts'\n"],
    ['src/routes/about.ts', "import '../errors.ts'\n"],
    ['src/plugins/env.ts', `${docstring}export const home = process.env.HOME\n`],
    ['src/sync/limits.ts', `${docstring}export class Counter {\n  readonly limit = 1\n  #count = 0\n  next (): number { return ++this.#count }\n}\n`],
  ] as const
  for (const [file, code] of allowed) t.same(await rulesAgainst(code, file), [], code)
})
