import globals from 'globals'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

/** Folders that know nothing of the web framework; each lists what else it may not reach (docs/architecture.md). */
const borders = {
  update: ['sync', 'protocol', 'store', 'bus', 'convert', 'access', 'workers', 'plugins', 'routes'],
  protocol: ['sync', 'store', 'bus', 'convert', 'access', 'workers', 'plugins', 'routes'],
  store: ['sync', 'protocol', 'bus', 'convert', 'access', 'workers', 'plugins', 'routes'],
  bus: ['sync', 'protocol', 'store', 'convert', 'access', 'workers', 'plugins', 'routes'],
  workers: ['protocol', 'store', 'bus', 'access', 'plugins', 'routes'],
  convert: ['sync', 'protocol', 'store', 'bus', 'access', 'plugins', 'routes'],
  access: ['sync', 'protocol', 'store', 'bus', 'convert', 'workers', 'plugins', 'routes'],
  sync: ['convert', 'access', 'plugins', 'routes'],
}

export default [
  ...neostandard({ ts: true, ignores: [...resolveIgnoresFromGitignore(), 'bench/peers/node_modules'] }),
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: [] } } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  { files: ['examples/**/*.js', 'demo/**/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['src/**/*.ts'], rules: { 'no-console': 'error', 'no-empty': 'error' } },
  // tap runs the subtests of a file one after the other, awaited or not.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  ...Object.entries(borders).map(([folder, forbidden]) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [
          { group: ['fastify', 'fastify-plugin', '@fastify/*', 'ws'], message: `src/${folder} knows nothing of the web framework.` },
          { group: forbidden.map((name) => `**/${name}/**`), message: `src/${folder} must not reach up or sideways; see docs/architecture.md.` },
        ],
      }],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Settings are read once, in src/plugins/env.ts.' }],
    },
  })),
  {
    files: ['src/routes/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ group: ['**/store/**', '**/bus/**', '**/workers/**'], message: 'A route takes behaviour from decorators.' }],
      }],
    },
  },
]
