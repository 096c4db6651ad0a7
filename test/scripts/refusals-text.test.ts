import { readFile } from 'node:fs/promises'
import t from 'tap'
import { refusalsPage } from '../../scripts/refusals-text.ts'
import { closes, type CloseReason } from '../../src/protocol/close-codes.ts'
import { refusalRules } from '../../src/logging/refusal-rules.ts'
import { rootUrl } from '../root.ts'

await t.test('docs/refusals.md agrees with the code (npm run refusals-page)', async (t) => {
  t.equal(await readFile(new URL('docs/refusals.md', rootUrl), 'utf8'), refusalsPage())
})

await t.test('Each rule lists the code that its close sends', async (t) => {
  for (const { rule, code } of Object.values<CloseReason>(closes)) {
    if (rule !== undefined) t.ok(refusalRules[rule].codes.some((listed) => listed === code), rule)
  }
})
