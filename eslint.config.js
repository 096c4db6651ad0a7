import globals from 'globals'
import neostandard, { plugins, resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'
import { house } from './scripts/lint/index.js'

/**
 * All folders of src/, and the files that lie in it. A file imports from its own folder and from those that follow it
 * here: `make lint` holds that, and that no circle of imports exists.
 */
export const folders = [
  'server', 'app', 'cli', 'routes', 'plugins', 'http', 'documents', 'convert', 'workers', 'cluster', 'sessions', 'sync',
  'settings', 'access', 'bus', 'store', 'protocol', 'update', 'logging', 'queue', 'wait', 'errors',
]

/** The only folders that know the web framework. */
const web = ['server', 'app', 'routes', 'plugins', 'http', 'errors']
const withoutWeb = folders.filter((folder) => !web.includes(folder))

const decorators = 'a route takes behaviour from decorators.'

const borders = {
  order: folders,
  // The engine gets a store and a bus handed in; it tells their failures apart.
  typesOnly: { sync: { store: ['DamagedDocument'], bus: [] } },
  apart: {
    routes: { sync: decorators, store: decorators, bus: decorators, workers: decorators, routes: decorators },
  },
}

const publicField = [
  'PropertyDefinition[readonly!=true][static!=true][declare!=true]',
  '[accessibility!="private"][key.type!="PrivateIdentifier"]',
].join('')

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
  {
    rules: {
      '@stylistic/max-len': ['error', {
        code: 120,
        ignoreUrls: true,
        ignoreStrings: true,
        ignoreTemplateLiterals: true,
        ignoreRegExpLiterals: true,
      }],
    },
  },
  {
    // Imported packages are declared in the nearest package.json: one that only another package requires can vanish.
    plugins: { 'import-x': plugins['import-x'] },
    rules: { 'import-x/no-extraneous-dependencies': ['error', { includeTypes: true }] },
  },
  // The image leaves the devDependencies out; their types are fine.
  { files: ['src/**/*.ts'], rules: { 'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }] } },
  { files: ['examples/**/*.js', 'demo/**/*.js'], languageOptions: { globals: globals.browser } },
  { files: ['src/**/*.ts'], rules: { 'no-console': 'error', 'no-empty': 'error' } },
  // tap runs the subtests of a file one after the other, awaited or not.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  {
    files: ['src/**/*.ts'],
    plugins: { house },
    rules: {
      'house/borders': ['error', borders],
      'house/no-circles': 'error',
      'house/docstrings': 'error',
      'no-restricted-syntax': ['error', {
        selector: publicField,
        message: 'A public field is readonly: other objects change it by calling a method.',
      }],
    },
  },
  {
    files: withoutWeb.flatMap((folder) => [`src/${folder}.ts`, `src/${folder}/**/*.ts`]),
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{
          group: ['fastify', 'fastify-plugin', '@fastify/*'],
          message: 'Only src/app.ts, errors, plugins, routes and http know the web framework.',
        }],
      }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/plugins/env.ts', 'src/cli.ts'],
    rules: {
      'no-restricted-properties': ['error', {
        object: 'process',
        property: 'env',
        message: 'Settings are read once, in src/plugins/env.ts, or in src/cli.ts for the command line.',
      }],
    },
  },
]
