import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Logger } from '../../logging/logger.ts'
import { assertDocumentName } from '../document-name.ts'
import { openLmdbFile } from './data-file.ts'
import { Headroom, makeRoomToOpen, makeRoomToStart } from './headroom.ts'
import { countersKey, encodeSetAside, layoutVersion, nameKey, namesEnd, ownKey, wrap } from './layout.ts'
import { becomeOwner, type Ownership } from './owner.ts'
import { loadDocument, readInfo, readPiece, readSetAside } from './lookups.ts'
import { appendEntries, compactDocument, createDocument, removeDocument, removeSetAside } from './operations.ts'
import { Writer, type LmdbSync } from './writer.ts'
import { makeFolder } from './make-folder.ts'
import { keptReason } from '../set-aside.ts'
import type {
  DocumentInfo, ListOptions, LogEntry, NextSnapshot, SnapshotHead, Store, StoredDocument, StoredSetAside,
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

/** Names that `list` reads before it yields to the event loop. */
const listBatch = 256

/** Bytes of a new snapshot that are copied, in about 1 ms, before the event loop continues. */
const wrapBatchBytes = 1 << 20

/**
 * Opens the embedded store for a service, as its only writer.
 * @throws StoreInUse if another service uses it
 */
export async function openLmdbStore ({ path, sync, logger }: LmdbOptions): Promise<LmdbStore> {
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
    if (!tree.getBinary(layoutKey)) tree.putSync(layoutKey, Buffer.from(String(layoutVersion)))
    const writer = new Writer(tree, await Headroom.of(tree, file), sync, logger)
    return new LmdbStore(tree, folder, writer, ownership)
  } catch (error) {
    await ownership?.release()
    await tree.close()
    throw error
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
    return new LmdbStore(tree, folder, undefined, undefined)
  } catch (error) {
    await tree.close()
    throw error
  }
}

/** The embedded store: one LMDB file with one writer. See `openLmdbStore`. */
export class LmdbStore implements Store {
  /** Absolute path. */
  readonly folder: string
  readonly #tree: LmdbTree
  readonly #writer: Writer | undefined
  readonly #ownership: Ownership | undefined
  #closing: Promise<void> | undefined

  constructor (tree: LmdbTree, folder: string, writer: Writer | undefined, ownership: Ownership | undefined) {
    this.#tree = tree
    this.folder = folder
    this.#writer = writer
    this.#ownership = ownership
  }

  async append (entries: readonly LogEntry[]): Promise<readonly number[]> {
    for (const { document } of entries) assertDocumentName(document)
    return this.#transact((transaction) => appendEntries(transaction, entries))
  }

  async create (document: string, update: Uint8Array): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((transaction) => createDocument(transaction, document, update))
  }

  async load (document: string, since = 0): Promise<StoredDocument | undefined> {
    assertDocumentName(document)
    return loadDocument(this.#view(), document, since)
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

  async remove (document: string): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((transaction) => removeDocument(transaction, document))
  }

  async * list ({ prefix = '', after }: ListOptions = {}): AsyncGenerator<DocumentInfo> {
    let start = nameKey(prefix)
    if (after !== undefined && nameKey(after).compare(start) >= 0) start = keyAfter(nameKey(after))
    const wanted = nameKey(prefix)
    for (;;) {
      const batch: DocumentInfo[] = []
      const view = this.#view()
      for (const { key, value } of view.getRange({ start, end: namesEnd, limit: listBatch })) {
        if (!key.subarray(0, wanted.length).equals(wanted)) break
        batch.push(readInfo(view, key, value))
        start = keyAfter(key)
      }
      yield * batch
      if (batch.length < listBatch) return
      await new Promise(setImmediate)
    }
  }

  async count (): Promise<number> {
    return this.#view().getKeysCount({ start: nameKey(''), end: namesEnd })
  }

  async ping (): Promise<void> {
    if (this.#writer) await this.#transact((transaction) => transaction.put(pingKey, Buffer.from(String(Date.now()))))
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
        await copy.#writer?.trim()
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
    await this.#writer?.close()
    await this.#ownership?.release()
    await this.#tree.close()
  }

  /** The newest consistent view, valid until the event loop continues. LMDB crashes on a read after it is closed. */
  #view (): LmdbTree {
    if (this.#closing) throw new Error('The store is closed')
    // A writer's view is always new; a reader needs a new view to see the writes of another process.
    if (!this.#writer) this.#tree.resetReadTxn()
    return this.#tree
  }

  #transact<Result> (operation: (transaction: Transaction) => Result): Promise<Result> {
    if (!this.#writer) return Promise.reject(new Error('The store was opened read-only'))
    return this.#writer.transact(operation)
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
  if (layout !== layoutVersion) throw new Error(`The store has layout ${layout}, and this version of y-provider supports only ${layoutVersion}: run the version that wrote it, or a newer one`)
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
