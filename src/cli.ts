#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { backup } from './cli/backup.ts'
import { check } from './cli/check.ts'
import { console, logger } from './cli/console.ts'
import { discardSetAside } from './cli/discard-set-aside.ts'
import { exportDocuments } from './cli/export.ts'
import { formats } from './cli/formats.ts'
import { importDocuments } from './cli/import.ts'
import { openExisting, openSource, openTarget, shown, type Location } from './cli/location.ts'
import { migrate } from './cli/migrate.ts'
import { repair } from './cli/repair.ts'
import { prepare } from './settings/prepare.ts'
import type { Store } from './store/store.ts'

const USAGE = `y-provider looks after the store of the service.

  y-provider check                              names documents that are damaged or that Yjs cannot apply
  y-provider repair [name …]                    sets aside what Yjs cannot apply, keeps the rest; all where none is named
  y-provider discard-set-aside <name …>         removes for good what was set aside, once nobody needs it
  y-provider backup <folder>                    copies the embedded store while the service runs
  y-provider export --to <folder> [name …]      writes documents to files, all of them where none is named
  y-provider import [--merge] <file or folder …>  reads such files; --merge adds to documents that exist
  y-provider migrate --from <store> --to <store>  copies what is missing there; can be run again

A store is a folder or postgres://…; --store names it, else DATABASE_URL or DATA_DIR do (./data).
repair, discard-set-aside and import need the embedded store to themselves: stop the service first.
--format <${[...formats.keys()].join(' | ')}> for export. Ends with 0 when all is well, 1 when something is not, 2 for a wrong call.`

class WrongCall extends Error {}

const { values, positionals } = readArguments()
const [command, ...operands] = positionals

try {
  if (values.help || command === undefined) console.say(USAGE)
  else process.exitCode = await run(command) === 0 ? 0 : 1
} catch (error) {
  if (error instanceof WrongCall) endWith(2, `${error.message}\n\n${USAGE}`)
  else endWith(1, error instanceof Error ? error.message : String(error))
}

/** @returns how many things went wrong */
async function run (command: string): Promise<number> {
  switch (command) {
    case 'check': return using(openSource(configured(), logger), check)
    case 'repair': return using(openExisting(configured(), logger), (store) => repair(store, operands))
    case 'discard-set-aside':
      operand('the name of a document')
      return using(openExisting(configured(), logger), (store) => discardSetAside(store, operands))
    case 'backup': return backup(configured(), operand('a folder'), logger)
    case 'export': {
      const format = formats.get(values.format)
      if (!format) throw new WrongCall(`There is no format ${values.format}`)
      const folder = values.to
      if (folder === undefined) throw new WrongCall('export needs --to <folder>')
      return using(openSource(configured(), logger), (store) => exportDocuments(store, folder, format, operands))
    }
    case 'import':
      operand('a file or a folder')
      return using(openTarget(configured(), logger), (store) => importDocuments(store, operands, values))
    case 'migrate': {
      const { from, to } = values
      if (from === undefined || to === undefined) throw new WrongCall('migrate needs --from and --to')
      console.tell(`from ${shown(from)} to ${shown(to)}`)
      return using(openSource(from, logger), (source) => using(openTarget(to, logger), (target) => migrate(source, target)))
    }
    default: throw new WrongCall(`There is no command ${command}`)
  }
}

async function using (opening: Promise<Store>, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await opening
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** The store that the service uses, from the same variables. */
function configured (): Location {
  if (values.store !== undefined) return values.store
  const { DATABASE_URL, DATA_DIR } = prepare(process.env)
  return String(DATABASE_URL ?? DATA_DIR ?? './data')
}

function operand (what: string): string {
  const [first] = operands
  if (first === undefined) throw new WrongCall(`${command} needs ${what}`)
  return first
}

function readArguments () {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        store: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        format: { type: 'string', default: 'yjs' },
        merge: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    return endWith(2, `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

function endWith (code: number, message: string): never {
  console.tell(message)
  process.exit(code)
}
