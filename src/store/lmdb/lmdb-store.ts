import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Logger } from '../../logging/logger.ts'
import { assertDocumentName } from '../document-name.ts'
import { openLmdbFile } from './data-file.ts'
import { Headroom, makeRoomToOpen, makeRoomToStart } from './headroom.ts'
import { DocumentCache } from './document-cache.ts'
import { Folding } from './folding.ts'
import { readJournal, WatchedJournal, type ReadJournal } from './journal.ts'
import type { JournalEntry } from './journal-record.ts'
import {
  countersKey, encodeSetAside, layoutVersion, nameKey, namesEnd, ownKey, readableLayouts, tombstoneRange, wrap,
} from './layout.ts'
import { becomeOwner, type Ownership } from './owner.ts'
import { loadDocument, openDocument, readAuthors, readInfo, readPiece, readSetAside, readTombstone } from './lookups.ts'
import {
  appendEntries, appendIf, compactDocument, createDocument, removeDocument, removeSetAside, removeTombstones,
  replaceTombstone,
} from './operations.ts'
import { Writer, type LmdbSync } from './writer.ts'
import { makeFolder } from './make-folder.ts'
import { keptReason } from '../set-aside.ts'
import {
  DamagedDocument,
  type AppendCondition, type ConditionalAppend, type DocumentInfo, type ListOptions, type LogEntry, type NextSnapshot,
  type SnapshotHead, type Store, type StoredDocument, type StoredSetAside, type Tombstone,
} from '../store.ts'
import type { Transaction } from './transaction.ts'
import type { LmdbTree } from './tree.ts'
import { newUnfinishedCopy, putInPlace, removeUnfinishedCopies } from './unfinished-copy.ts'

/** The folder of an embedded store, and when an update in it counts as stored. */
export interface LmdbOptions {
  /** The store's folder; created if it is missing. */
  readonly path: string
  readonly sync: LmdbSync
  readonly logger: Logger
  /** ms that updates stay in the journal before they are folded; 60,000 by default. */
  readonly foldEveryMs?: number
}

interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** The file that contains everything; LMDB's lock file lies beside it. */
const dataFile = 'documents.mdb'

/**
 * With `overlappingSync`, a transaction is visible before it is synced, and LMDB keeps the last synced one intact: a
 * power cut loses only what was not synced. With batching by event turn, lmdb-js would make promises of its own that
 * nothing handles: on a full disk their rejection would end the process.
 */
const syncOptions = { overlappingSync: true, separateFlushed: true, eventTurnBatching: false } as const

/** Bytes of entries in one transaction of a copy. */
const copyBatchBytes = 1 << 20

/** For the store of a copy, whose writer throws everything that it logs. */
const silent: Logger = { debug () {}, info () {}, warn () {}, error () {} }

const layoutKey = ownKey('layout')
const pingKey = ownKey('ping')

/** Documents that `list` and `info` read, in 1 to 3 ms, before the event loop continues. */
const listBatch = 64

/** Tombstones of which one transaction reads whether they are old. */
const tombstoneBatch = 64

/** Bytes of a new snapshot that are copied, in about 1 ms, before the event loop continues. */
const wrapBatchBytes = 1 << 20

/**
 * Opens the embedded store for a service, as its only writer.
 * @throws StoreInUse if another service uses it
 */
export async function openLmdbStore (options: LmdbOptions): Promise<LmdbStore> {
  const { path, logger } = options
  const folder = resolve(path)
  await makeFolder(folder)
  const file = join(folder, dataFile)
  await makeRoomToOpen(file)
  const tree = openLmdbFile(file, syncOptions)
  let ownership: Ownership | undefined
  try {
    if (tree.getBinary(layoutKey)) checkLayout(tree)
    await makeRoomToStart(tree, file)
    ownership = await becomeOwner(tree, folder)
    upgradeLayout(tree, logger)
    return new LmdbStore(tree, folder, { ...await startWriting(tree, file, options), ownership })
  } catch (error) {
    await ownership?.release()
    await tree.close()
    throw error
  }
}

/** @throws DamagedJournal */
async function startWriting (
  tree: LmdbTree,
  file: string,
  { sync, logger, foldEveryMs }: LmdbOptions
): Promise<Omit<Writing, 'ownership'>> {
  const { entries, commits } = readJournal(tree)
  const cache = new DocumentCache()
  for (const [document, ofDocument] of entries) rememberJournaled(tree, cache, document, ofDocument)
  const writer = new Writer(tree, await Headroom.of(tree, file), {
    sync,
    logger,
    cache,
    lastCommit: commits.at(-1) ?? 0,
    // Not before there is a folding: the first write comes later.
    journaled: (commit, bytes) => { folding.added(commit, bytes) },
  })
  const folding: Folding = new Folding(writer, { cache, commits, logger, foldEveryMs })
  return { writer, cache, folding }
}

function rememberJournaled (
  tree: LmdbTree,
  cache: DocumentCache,
  document: string,
  entries: readonly JournalEntry[]
): void {
  try {
    const open = openDocument(tree, document, () => entries)
    if (open) cache.set(document, open)
  } catch (error) {
    // Nobody can open it, and `y-provider check` reports it.
    if (!(error instanceof DamagedDocument)) throw error
  }
}

/** Whether the folder contains a store. */
export const holdsLmdbStore = (folder: string): boolean => existsSync(join(folder, dataFile))

/**
 * Opens the embedded store to read it, even while a service uses it; every write rejects.
 * @throws Error if there is none
 */
export async function openLmdbReader (path: string): Promise<LmdbStore> {
  const folder = resolve(path)
  const file = join(folder, dataFile)
  if (!holdsLmdbStore(folder)) throw new Error(`There is no store in ${folder}`)
  await makeRoomToOpen(file)
  const tree = openLmdbFile(file, { readOnly: true })
  try {
    checkLayout(tree)
    return new LmdbStore(tree, folder, undefined)
  } catch (error) {
    await tree.close()
    throw error
  }
}

/** What only a service has, which writes the store. */
interface Writing {
  readonly writer: Writer
  readonly cache: DocumentCache
  readonly folding: Folding
  readonly ownership: Ownership
}

/** The embedded store: one LMDB file with one writer. See `openLmdbStore`. */
export class LmdbStore implements Store {
  /** Absolute path. */
  readonly folder: string
  readonly #tree: LmdbTree
  readonly #writing: Writing | undefined
  readonly #readJournal: ReadJournal
  #closing: Promise<void> | undefined

  /** @param writing undefined: the store is only read */
  constructor (tree: LmdbTree, folder: string, writing: Writing | undefined) {
    this.#tree = tree
    this.folder = folder
    this.#writing = writing
    this.#readJournal = writing?.cache.readJournal ?? new WatchedJournal(tree).read
  }

  async append (entries: readonly LogEntry[]): Promise<readonly number[]> {
    for (const { document } of entries) assertDocumentName(document)
    return this.#transact((transaction) => appendEntries(transaction, entries))
  }

  async create (document: string, update: Uint8Array, authors?: readonly string[]): Promise<number | undefined> {
    assertDocumentName(document)
    const entry = { document, update, ...authors !== undefined && { authors } }
    return this.#transact((transaction) => createDocument(transaction, entry))
  }

  async appendIf (entry: LogEntry, condition: AppendCondition): Promise<ConditionalAppend> {
    assertDocumentName(entry.document)
    return this.#transact((transaction) => appendIf(transaction, entry, condition))
  }

  async load (document: string, since = 0): Promise<StoredDocument | undefined> {
    assertDocumentName(document)
    return loadDocument(this.#view(), document, since, this.#readJournal)
  }

  async readPiece (document: string, generation: number, index: number): Promise<Uint8Array | undefined> {
    assertDocumentName(document)
    return readPiece(this.#view(), document, generation, index)
  }

  async compact (document: string, next: NextSnapshot): Promise<SnapshotHead | undefined> {
    assertDocumentName(document)
    const pieces = await wrapAll(next.pieces)
    const now = Date.now()
    const setAside = await wrapAll((next.setAside ?? []).map(({ update, reason }) => {
      return encodeSetAside({ update, reason: keptReason(reason) }, now)
    }))
    return this.#transact((transaction) => compactDocument(transaction, document, next, { pieces, setAside }))
  }

  async setAside (document: string): Promise<readonly StoredSetAside[]> {
    assertDocumentName(document)
    return readSetAside(this.#view(), document)
  }

  async removeSetAside (document: string): Promise<number> {
    assertDocumentName(document)
    return this.#transact((transaction) => removeSetAside(transaction, document))
  }

  async remove (document: string, deleted?: Uint8Array, lastSeq?: number): Promise<boolean> {
    assertDocumentName(document)
    const isRemoved = await this.#transact((transaction) => removeDocument(transaction, document, deleted, lastSeq))
    // So that nothing of it stays in the journal. If this fails, it is reported there and tried again.
    if (isRemoved) await this.#writing?.folding.fold().catch(() => {})
    return isRemoved
  }

  async tombstone (document: string): Promise<Tombstone | undefined> {
    assertDocumentName(document)
    return readTombstone(this.#view(), document)
  }

  replaceTombstone (document: string, before: Tombstone, deleted: Uint8Array): Promise<boolean> {
    return this.#transact((transaction) => replaceTombstone(transaction, document, before, deleted))
  }

  async removeTombstones (before: number): Promise<number> {
    let removed = 0
    for (let { start, end } = tombstoneRange(); ;) {
      const keys = [...this.#view().getKeys({ start, end, limit: tombstoneBatch })]
      if (keys.length > 0) removed += await this.#transact((transaction) => removeTombstones(transaction, keys, before))
      const last = keys.at(-1)
      if (last === undefined || keys.length < tombstoneBatch) return removed
      start = keyAfter(last)
    }
  }

  async authors (document: string, since: number): Promise<readonly string[]> {
    assertDocumentName(document)
    return readAuthors(this.#view(), document, since, this.#readJournal)
  }

  async * list ({ prefix = '', after, limit = Infinity }: ListOptions = {}): AsyncGenerator<DocumentInfo> {
    let start = nameKey(prefix)
    if (after !== undefined && nameKey(after).compare(start) >= 0) start = keyAfter(nameKey(after))
    const wanted = nameKey(prefix)
    for (let left = limit; left > 0;) {
      const most = Math.min(listBatch, left)
      const batch: DocumentInfo[] = []
      const view = this.#view()
      for (const { key, value } of view.getRange({ start, end: namesEnd, limit: most })) {
        if (!key.subarray(0, wanted.length).equals(wanted)) break
        batch.push(readInfo(view, key, value, this.#readJournal))
        start = keyAfter(key)
      }
      yield * batch
      if (batch.length < most) return
      left -= batch.length
      await new Promise(setImmediate)
    }
  }

  async info (documents: readonly string[]): Promise<readonly DocumentInfo[]> {
    for (const document of documents) assertDocumentName(document)
    const keys = [...new Set(documents)].map(nameKey).sort(Buffer.compare)
    const infos: DocumentInfo[] = []
    for (let at = 0; at < keys.length; at += listBatch) {
      if (at > 0) await new Promise(setImmediate)
      const view = this.#view()
      for (const key of keys.slice(at, at + listBatch)) {
        const value = view.getBinary(key)
        if (value) infos.push(readInfo(view, key, value, this.#readJournal))
      }
    }
    return infos
  }

  async count (): Promise<number> {
    return this.#view().getKeysCount({ start: nameKey(''), end: namesEnd })
  }

  async ping (): Promise<void> {
    if (this.#writing) await this.#transact((transaction) => transaction.put(pingKey, Buffer.from(String(Date.now()))))
    else checkLayout(this.#view())
  }

  /**
   * Copies the whole store, as it is at this moment, to a folder without a store, while the store is in use. The copy
   * is written entry by entry, with all damage and almost no free space. It appears once it is complete and on the
   * disk.
   * @throws StoreInUse if another copy is being written there, or the folder gets a store meanwhile
   */
  async copyTo (folder: string): Promise<void> {
    const view = this.#view()
    const moment = view.useReadTransaction()
    const target = resolve(folder)
    const unfinished = newUnfinishedCopy(target)
    try {
      await removeUnfinishedCopies(target)
      const copy = await openLmdbStore({ path: unfinished, sync: 'fsync', logger: silent })
      try {
        const counters = view.get(countersKey, { transaction: moment })
        if (counters) await copy.#transact((transaction) => transaction.put(countersKey, counters))
        const entries = view.getRange({ start: nameKey(''), transaction: moment })
        for (const batch of batchesOf(entries)) {
          await copy.#transact((transaction) => { for (const { key, value } of batch) transaction.put(key, value) })
        }
        await copy.#writing?.writer.trim()
      } finally {
        await copy.close()
      }
      await putInPlace(join(unfinished, dataFile), join(target, dataFile))
    } finally {
      moment.done()
      await rm(unfinished, { recursive: true, force: true })
    }
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    await this.#writing?.folding.close()
    await this.#writing?.writer.close()
    await this.#writing?.ownership.release()
    await this.#tree.close()
  }

  /** The newest consistent view, valid until the event loop continues. LMDB crashes on a read after it is closed. */
  #view (): LmdbTree {
    if (this.#closing) throw new Error('The store is closed')
    // A writer's view is always new; a reader needs a new view to see the writes of another process.
    if (!this.#writing) this.#tree.resetReadTxn()
    return this.#tree
  }

  #transact<Result> (operation: (transaction: Transaction) => Result): Promise<Result> {
    if (!this.#writing) return Promise.reject(new Error('The store was opened read-only'))
    return this.#writing.writer.transact(operation)
  }
}

/** Wraps pieces, and yields to the event loop in between, because a snapshot can be large. */
async function wrapAll (pieces: readonly Uint8Array[]): Promise<Buffer[]> {
  const wrapped: Buffer[] = []
  let bytes = 0
  for (const piece of pieces) {
    wrapped.push(wrap(piece))
    bytes += piece.length
    if (bytes < wrapBatchBytes) continue
    bytes = 0
    await new Promise(setImmediate)
  }
  return wrapped
}

/** @throws Error if a newer version wrote the store */
function checkLayout (tree: LmdbTree): void {
  const layout = Number(tree.getBinary(layoutKey)?.toString())
  if (!readableLayouts.includes(layout)) throw new Error(`The store has layout ${layout}, and this version of y-provider supports only ${readableLayouts.join(' and ')}: run the version that wrote it, or a newer one`)
}

/** Records the current layout, which contains the former one. From then on earlier versions reject the store. */
function upgradeLayout (tree: LmdbTree, logger: Logger): void {
  const found = tree.getBinary(layoutKey)?.toString()
  if (found === String(layoutVersion)) return
  tree.putSync(layoutKey, Buffer.from(String(layoutVersion)))
  if (found !== undefined) logger.info({ from: Number(found), to: layoutVersion }, 'Upgraded the layout of the store; earlier versions of y-provider cannot open it any more')
}

/** Splits entries into lists for one transaction each. */
function * batchesOf (entries: Iterable<Entry>): Generator<Entry[]> {
  let batch: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    batch.push(entry)
    bytes += entry.key.length + entry.value.length
    if (bytes < copyBatchBytes) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** The smallest key after another. */
const keyAfter = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)])
