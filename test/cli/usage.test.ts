import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../src/cli/commands.ts'
import { parseCall } from '../../src/cli/parse-call.ts'
import { plural } from '../../src/cli/plural.ts'
import { usage, usageOf } from '../../src/cli/usage.ts'
import { cli } from './run-cli.ts'

await t.test('help: of all commands, and of each', async (t) => {
  for (const args of [[], ['help'], ['--help'], ['-h'], ['help', '--help']]) t.strictSame(parseCall(args), { type: 'help' }, args.join(' '))
  for (const name of commands.keys()) t.match(usage(), new RegExp(`^  ${name} `, 'm'), name)
  for (const args of [['help', 'export'], ['export', '--help'], ['export', '-h', '--format', 'json']]) t.strictSame(parseCall(args), { type: 'help', command: 'export' }, args.join(' '))
  for (const [name, { options }] of commands) for (const option of options) t.match(usageOf(name), `  --${option} `, `${name} --${option}`)
  t.strictSame(await cli([]), { code: 0, out: `${usage()}\n`, err: '' })
  t.strictSame(await cli(['export', '--help']), { code: 0, out: `${usageOf('export')}\n`, err: '' })
})

await t.test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  t.match(await cli(['--version']), { code: 0, out: `${version}\n` })
})

const wrong: ReadonlyArray<readonly [args: readonly string[], message: string]> = [
  [['exprt'], 'There is no command exprt: did you mean export?'],
  [['discard', 'x'], 'There is no command discard: did you mean discard-set-aside?'],
  [['help', 'lst'], 'There is no command lst: did you mean list?'],
  [['serve'], 'There is no command serve'],
  [['export', '--to', 'x', '--overwite'], 'There is no option --overwite: did you mean --overwrite?'],
  [['check', '--nothing'], 'There is no option --nothing'],
  [['check', '--merge'], 'check takes no --merge'],
  [['check', 'plan'], 'check cannot take plan: it takes options only'],
  [['show', 'a', 'b'], 'show cannot take b: it takes the name of one document'],
  [['show'], 'show needs the name of one document'],
  [['backup'], 'backup needs a folder'],
  [['export'], 'export needs --to'],
  [['export', '--to', '--overwrite'], '--to needs a value'],
  [['export', '--to='], '--to needs a value'],
  [['import', '--merge=yes', 'x'], '--merge takes no value'],
  [['migrate', '--from', 'x'], 'migrate needs --to'],
]

await t.test('a wrong call is answered with what was probably meant, and with the usage', async (t) => {
  for (const [args, message] of wrong) t.throws(() => parseCall(args), { name: 'WrongCall', message }, args.join(' '))
  t.strictSame(await cli(['exprt']), { code: 2, out: '', err: `There is no command exprt: did you mean export?\n\n${usage()}\n` })
  t.strictSame(await cli(['export', '--to', 'x', '--format', 'markdwn']), { code: 2, out: '', err: `There is no format markdwn: did you mean markdown?\n\n${usageOf('export')}\n` })
})

await t.test('a store that is not there is no wrong call', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'y-cli-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  t.match(await cli(['check', '--store', join(folder, 'none')]), { code: 1, err: /^There is no store in .*none\n$/ })
})

await t.test('plurals', async (t) => {
  t.strictSame([0, 1, 2].map((count) => plural(count, 'document')), ['0 documents', '1 document', '2 documents'])
  t.equal(plural(2, 'entry'), '2 entries')
})
