import type { Store } from '../store/store.ts'
import { backup } from './backup.ts'
import { check } from './check.ts'
import { WrongCall, type Call, type Command, type Operands } from './command.ts'
import { console, logger } from './console.ts'
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

const anyDocuments: Operands = { shown: '[name …]', what: 'names of documents', least: 0, most: Infinity }
const besideService = 'This command only reads; the service can keep running.'
const alone = 'Stop the service first if it uses the embedded store; with PostgreSQL it can keep running.'

/** All commands by their names, in the order in which the usage shows them. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['list', {
    summary: 'lists all documents with their bytes and last change',
    details: `${besideService} With --json each line is one JSON object.`,
    options: ['json', 'store'],
    run: reading((store, { options }) => list(store, options)),
  }],
  ['show', {
    summary: 'describes one document: its size, times, clients, and roots with their types',
    details: besideService,
    operands: { shown: '<name>', what: 'the name of one document', least: 1, most: 1 },
    options: ['json', 'store'],
    run: reading((store, { operands: [name = ''], options }) => show(store, name, options)),
  }],
  ['check', {
    summary: 'reads every document and names those that are damaged or that Yjs cannot apply',
    details: besideService,
    options: ['json', 'store'],
    run: reading((store, { options }) => check(store, options)),
  }],
  ['repair', {
    summary: 'sets aside the updates that Yjs cannot apply, in all documents or those named',
    details: alone,
    operands: anyDocuments,
    options: ['store'],
    run: writing((store, { operands }) => repair(store, operands)),
  }],
  ['discard-set-aside', {
    summary: 'permanently removes the updates set aside in the documents named',
    details: alone,
    operands: { shown: '<name …>', what: 'the name of a document', least: 1, most: Infinity },
    options: ['store'],
    run: writing((store, { operands }) => discardSetAside(store, operands)),
  }],
  ['backup', {
    summary: 'copies the embedded store to a new folder',
    details: `${besideService} For PostgreSQL use pg_dump.`,
    operands: { shown: '<folder>', what: 'a folder', least: 1, most: 1 },
    options: ['store'],
    run: ({ operands: [folder = ''], options }) => backup(configured(options), folder, logger),
  }],
  ['export', {
    summary: 'writes all documents, or those named, to files of a folder',
    details: `${besideService} markdown and json are for BlockNote's documents:
for any other it writes the .yjs file, and its texts as .txt, and exits with 1.`,
    operands: anyDocuments,
    required: ['to'],
    options: ['to', 'format', 'overwrite', 'store'],
    run: ({ operands, options }) => {
      const { to = '', format = 'yjs', overwrite = false } = options
      const what = { folder: to, format: formatOf(format), overwrite, wanted: operands }
      return using(openSource(configured(options), logger), (store) => exportDocuments(store, what))
    },
  }],
  ['import', {
    summary: 'reads files, or all files of folders, as export writes them',
    details: `${alone} A document that exists stays as it is without --merge.`,
    operands: { shown: '<file or folder …>', what: 'a file or a folder', least: 1, most: Infinity },
    options: ['merge', 'store'],
    run: ({ operands, options }) => using(openTarget(configured(options), logger), (store) => importDocuments(store, operands, { merge: options.merge ?? false })),
  }],
  ['migrate', {
    summary: 'copies to another store what is missing there; it can be run again',
    details: 'A store is a folder or postgres://…. It removes nothing on either side; docs/operations.md has the steps of a move.',
    required: ['from', 'to'],
    options: ['from', 'to'],
    run: ({ options: { from = '', to = '' } }) => {
      console.tell(`from ${shown(from)} to ${shown(to)}`)
      return using(openSource(from, logger), (source) => using(openTarget(to, logger), (target) => migrate(source, target)))
    },
  }],
])

type Work = (store: Store, call: Call) => Promise<number>

function reading (work: Work): Command['run'] {
  return (call) => using(openSource(configured(call.options), logger), (store) => work(store, call))
}

function writing (work: Work): Command['run'] {
  return (call) => using(openExisting(configured(call.options), logger), (store) => work(store, call))
}

async function using (opening: Promise<Store>, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await opening
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** @throws WrongCall where there is no such format */
function formatOf (name: string): DocumentFormat {
  const format = formats.get(name)
  if (format !== undefined) return format
  const meant = nearest(name, [...formats.keys()])
  throw new WrongCall(`There is no format ${name}${meant === undefined ? '' : `: did you mean ${meant}?`}`, 'export')
}
