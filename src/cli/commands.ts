import { prepare } from '../settings/prepare.ts'
import type { Store } from '../store/store.ts'
import { backup } from './backup.ts'
import { check } from './check.ts'
import { deleteDocuments } from './delete.ts'
import { UsageError, type Call, type Command, type Operands } from './command.ts'
import { discardSetAside } from './discard-set-aside.ts'
import { exportDocuments } from './export.ts'
import { formats, type DocumentFormat } from './formats.ts'
import { importDocuments } from './import.ts'
import { list } from './list.ts'
import { configured, openExisting, openSource, openTarget, shown } from './location.ts'
import { migrate } from './migrate.ts'
import { nearest } from './nearest.ts'
import { repair } from './repair.ts'
import { show } from './show.ts'

const anyDocuments: Operands = { shown: '[name …]', noun: 'names of documents', least: 0, most: Infinity }
const readOnly = 'This command only reads; the service can keep running.'
const writes = 'Stop the service first if it uses the embedded store; with PostgreSQL it can keep running.'

/** All commands by name, in the order of the usage. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['list', {
    summary: 'lists all documents with their bytes and last change',
    details: `${readOnly} With --json each line is one JSON object.`,
    options: ['json', 'store'],
    run: reading((store, { console, options }) => list(store, console, options)),
  }],
  ['show', {
    summary: 'describes one document: its size, times, clients, and roots with their types',
    details: readOnly,
    operands: { shown: '<name>', noun: 'the name of one document', least: 1, most: 1 },
    options: ['json', 'store'],
    run: reading((store, { console, operands: [name = ''], options }) => show(store, console, name, options)),
  }],
  ['check', {
    summary: 'reads every document and names those that are damaged or that Yjs cannot apply',
    details: readOnly,
    options: ['json', 'store'],
    run: reading((store, { console, options }) => check(store, console, options)),
  }],
  ['repair', {
    summary: 'sets aside the updates that Yjs cannot apply, in all documents or those named',
    details: writes,
    operands: anyDocuments,
    options: ['store'],
    run: writing((store, { console, operands }) => repair(store, console, operands)),
  }],
  ['discard-set-aside', {
    summary: 'permanently removes the updates set aside in the documents named',
    details: writes,
    operands: { shown: '<name …>', noun: 'the name of a document', least: 1, most: Infinity },
    options: ['store'],
    run: writing((store, { console, operands }) => discardSetAside(store, console, operands)),
  }],
  ['delete', {
    summary: 'permanently deletes the documents named, and closes their connections; asks nothing',
    details: `The running service deletes them: the command reads its address and secret from HOST, PORT and
COLLABORATION_SERVER_SECRET, as the service does. If no service runs, the command deletes them in the store.`,
    operands: { shown: '<name …>', noun: 'the name of a document', least: 1, most: Infinity },
    options: ['store'],
    run: ({ console, env, operands, options }) => deleteDocuments(operands, options, env, console),
  }],
  ['backup', {
    summary: 'copies the embedded store to a new folder',
    details: `${readOnly} For PostgreSQL use pg_dump.`,
    operands: { shown: '<folder>', noun: 'a folder', least: 1, most: 1 },
    options: ['store'],
    run: ({ console, env, operands: [folder = ''], options }) => backup(configured(options, env), folder, console),
  }],
  ['export', {
    summary: 'writes all documents, or those named, to files of a folder',
    details: `${readOnly} markdown and json are for BlockNote's documents:
any other document is written as .yjs, its texts as .txt, and the command exits with 1.`,
    operands: anyDocuments,
    required: ['to'],
    options: ['to', 'format', 'overwrite', 'store'],
    run: ({ console, env, operands, options }) => {
      const { to = '', format = 'yjs', overwrite = false } = options
      const wanted = { folder: to, format: formatOf(format), overwrite, wanted: operands }
      const opening = openSource(configured(options, env), console.logger)
      return using(opening, (store) => exportDocuments(store, console, wanted))
    },
  }],
  ['import', {
    summary: 'reads files, or all files of folders, as export writes them',
    details: `${writes} Without --merge, existing documents stay unchanged.`,
    operands: { shown: '<file or folder …>', noun: 'a file or a folder', least: 1, most: Infinity },
    options: ['merge', 'store'],
    run: ({ console, env, operands, options }) => {
      const how = { merge: options.merge ?? false, math: prepare(env).CONVERSION_MATH === 'true' }
      const opening = openTarget(configured(options, env), console.logger)
      return using(opening, (store) => importDocuments(store, console, operands, how))
    },
  }],
  ['migrate', {
    summary: 'copies to another store what is missing there; it can be run again',
    details: 'A store is a folder or postgres://…. It removes nothing from either store; docs/operations.md has the steps of a move.',
    required: ['from', 'to'],
    options: ['from', 'to'],
    run: ({ console, options: { from = '', to = '' } }) => {
      console.note(`from ${shown(from)} to ${shown(to)}`)
      const { logger } = console
      return using(openSource(from, logger), (source) => {
        return using(openTarget(to, logger), (target) => migrate(source, target, console))
      })
    },
  }],
])

type Work = (store: Store, call: Call) => Promise<number>

function reading (work: Work): Command['run'] {
  return (call) => using(
    openSource(configured(call.options, call.env), call.console.logger),
    (store) => work(store, call)
  )
}

function writing (work: Work): Command['run'] {
  return (call) => using(
    openExisting(configured(call.options, call.env), call.console.logger),
    (store) => work(store, call)
  )
}

async function using (opening: Promise<Store>, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await opening
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** @throws UsageError for an unknown format */
function formatOf (name: string): DocumentFormat {
  const format = formats.get(name)
  if (format !== undefined) return format
  const meant = nearest(name, [...formats.keys()])
  throw new UsageError(`Unknown format ${name}${meant === undefined ? '' : `: did you mean ${meant}?`}`, 'export')
}
