import { spawnSync } from 'node:child_process'
import t from 'tap'
import { root } from '../root.ts'

const usage = 'npm test -- [-j FILES_AT_ONCE] [--timeout SECONDS] [FILE | FOLDER]...'

for (const [args, sentence] of [
  [['-j', 'x'], '-j must be a whole number from 1, not "x"'],
  [['-j', '0'], '-j must be a whole number from 1, not "0"'],
  [['--jobs', ''], '-j must be a whole number from 1, not ""'],
  [['--timeout', '1.5'], '--timeout must be a whole number from 0, not "1.5"'],
] as const) {
  t.test(`npm test -- ${args.join(' ')} is answered with one sentence and the usage`, async (t) => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/test.mjs', ...args], { cwd: root, encoding: 'utf8' })
    t.equal(status, 2)
    t.equal(stderr, `${sentence}\n${usage}\n`)
  })
}
