import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import t from 'tap'
import { envExample, settingsPage } from '../../scripts/settings-text.ts'
import { readSettings } from '../../src/plugins/env.ts'
import { rootUrl as root } from '../root.ts'

await t.test('.env.example and docs/settings.md agree with the schema (npm run env-example)', async (t) => {
  t.equal(await readFile(new URL('.env.example', root), 'utf8'), envExample())
  t.equal(await readFile(new URL('docs/settings.md', root), 'utf8'), settingsPage())
})

await t.test('With every line of .env.example uncommented, the settings are the defaults', async (t) => {
  const active = envExample().replaceAll(/^# ([A-Z_]+=)/gm, '$1').replace('COLLABORATION_SERVER_SECRET=', 'COLLABORATION_SERVER_SECRET=only-for-this-test')
  const environment = parseEnv(active)
  t.ok(Object.keys(environment).length > 40)
  t.same(await readSettings(environment), await readSettings({ COLLABORATION_SERVER_SECRET: 'only-for-this-test' }))
})
