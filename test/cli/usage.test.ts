import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../src/cli/commands.ts'
import { parseArguments } from '../../src/cli/parse-arguments.ts'
import { plural } from '../../src/cli/plural.ts'
import { usage, usageOf } from '../../src/cli/usage.ts'
import { cli, cliProcess } from './run-cli.ts'
import { rootUrl } from '../root.ts'

await t.test('help for all commands, and for each one', async (t) => {
  for (const args of [[], ['help'], ['--help'], ['-h'], ['help', '--help']]) t.strictSame(parseArguments(args), { type: 'help' }, args.join(' '))
  for (const name of commands.keys()) t.match(usage(), new RegExp(`^  ${name} `, 'm'), name)
  for (const args of [['help', 'export'], ['export', '--help'], ['export', '-h', '--format', 'json']]) t.strictSame(parseArguments(args), { type: 'help', command: 'export' }, args.join(' '))
  for (const [name, { options }] of commands) for (const option of options) t.match(usageOf(name), `  --${option} `, `${name} --${option}`)
  t.strictSame(await cliProcess([]), { code: 0, out: `${usage()}\n`, err: '' })
  t.strictSame(await cli(['export', '--help']), { code: 0, out: `${usageOf('export')}\n`, err: '' })
})

await t.test('The version is the version of the package', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('package.json', rootUrl), 'utf8')) as { version: string }
  t.match(await cli(['--version']), { code: 0, out: `${version}\n` })
})

const wrong: ReadonlyArray<readonly [args: readonly string[], message: string]> = [
  [['exprt'], 'Unknown command exprt: did you mean export?'],
  [['discard', 'x'], 'Unknown command discard: did you mean discard-set-aside?'],
  [['help', 'lst'], 'Unknown command lst: did you mean list?'],
  [['serve'], 'Unknown command serve'],
  [['export', '--to', 'x', '--overwite'], 'Unknown option --overwite: did you mean --overwrite?'],
  [['check', '--nothing'], 'Unknown option --nothing'],
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

await t.test('A wrong command line is answered with the usage and the name that was probably meant', async (t) => {
  for (const [args, message] of wrong) t.throws(() => parseArguments(args), { name: 'UsageError', message }, args.join(' '))
  t.strictSame(await cliProcess(['exprt']), { code: 2, out: '', err: `Unknown command exprt: did you mean export?\n\n${usage()}\n` })
  t.strictSame(await cli(['export', '--to', 'x', '--format', 'markdwn']), { code: 2, out: '', err: `Unknown format markdwn: did you mean markdown?\n\n${usageOf('export')}\n` })
})

await t.test('A missing store is a failure, not a wrong command line', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'y-cli-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  t.match(await cliProcess(['check', '--store', join(folder, 'none')]), { code: 1, err: /^There is no store in .*none\n$/ })
})

await t.test('Plurals', async (t) => {
  t.strictSame([0, 1, 2].map((count) => plural(count, 'document')), ['0 documents', '1 document', '2 documents'])
  t.equal(plural(2, 'entry'), '2 entries')
})
