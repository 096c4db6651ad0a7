import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Logger } from '../../logging/logger.ts'
import { assertDocumentName } from '../document-name.ts'
import type { Draft, LmdbTree } from './transaction.ts'
import { openLmdbFile } from './data-file.ts'
import { LmdbHeadroom, makeRoomToOpen, makeRoomToStart } from './headroom.ts'
import { COUNTERS, encodeSetAside, LAYOUT, nameKey, namesEnd, ownKey, wrap } from './layout.ts'
import { becomeOwner, type Ownership } from './owner.ts'
import { loadDocument, readInfo, readPiece, readSetAside } from './lookups.ts'
import { appendEntries, compactDocument, createDocument, removeDocument, removeSetAside } from './operations.ts'
import { LmdbWriter, type LmdbSync } from './writer.ts'
import { makeFolder } from './make-folder.ts'
import { keptReason } from '../set-aside.ts'
import type { DocumentInfo, ListOptions, LogEntry, NextSnapshot, SnapshotHead, Store, StoredDocument, StoredSetAside } from '../store.ts'
import { newUnfinishedCopy, putInPlace, removeUnfinishedCopies } from './unfinished-copy.ts'

export interface LmdbOptions {
  /** Folder of the store; made if it is not there */
  readonly path: string
  readonly sync: LmdbSync
  readonly logger: Logger
}

interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** One file with everything in it, and LMDB's table of readers beside it. */
const DATA_FILE = 'documents.mdb'

/**
 * With `overlappingSync` a transaction is visible first and synced then, and LMDB keeps the last synced one whole: a power
 * cut takes what was not synced and nothing else. Without batching by event turn, lmdb-js makes no promise of its own
 * that nobody holds: on a full disk it would be rejected, and end the process.
 */
const SYNC = { overlappingSync: true, separateFlushed: true, eventTurnBatching: false } as const

/** Bytes of entries that a copy writes at once. */
const COPY_BATCH_BYTES = 1 << 20

/** What a copy's writer has to say, it also throws. */
const SILENT: Logger = { debug () {}, info () {}, warn () {}, error () {} }

const LAYOUT_KEY = ownKey('layout')
const PING_KEY = ownKey('ping')

/** How many names `list` reads at a time before it lets others run. */
const LIST_BATCH = 256

/** Bytes of a new snapshot that are checked and copied before others may run: about 1 ms. */
const WRAP_BATCH_BYTES = 1 << 20

/**
 * Opens the embedded store for a service: the only one who writes there.
 * @throws StoreInUse where another service has it
 */
export async function openLmdbStore ({ path, sync, logger }: LmdbOptions): Promise<LmdbStore> {
  const folder = resolve(path)
  await makeFolder(folder)
  const file = join(folder, DATA_FILE)
  await makeRoomToOpen(file)
  const tree = openLmdbFile(file, SYNC)
  let ownership: Ownership | undefined
  try {
    if (tree.getBinary(LAYOUT_KEY)) checkLayout(tree)
    await makeRoomToStart(tree, file)
    ownership = await becomeOwner(tree, folder)
    if (!tree.getBinary(LAYOUT_KEY)) tree.putSync(LAYOUT_KEY, Buffer.from(String(LAYOUT)))
    return new LmdbStore(tree, folder, new LmdbWriter(tree, await LmdbHeadroom.of(tree, file), sync, logger), ownership)
  } catch (error) {
    await ownership?.release()
    await tree.close()
    throw error
  }
}

/** Whether there is a store in the folder. */
export const holdsLmdbStore = (folder: string): boolean => existsSync(join(folder, DATA_FILE))

/** Opens the embedded store to read it, beside a service that may be running; every write rejects. */
export async function openLmdbReader (path: string): Promise<LmdbStore> {
  const folder = resolve(path)
  const file = join(folder, DATA_FILE)
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

/** See `openLmdbStore`. */
export class LmdbStore implements Store {
  readonly folder: string
  readonly #tree: LmdbTree
  readonly #writer: LmdbWriter | undefined
  readonly #ownership: Ownership | undefined
  #closing: Promise<void> | undefined

  constructor (tree: LmdbTree, folder: string, writer: LmdbWriter | undefined, ownership: Ownership | undefined) {
    this.#tree = tree
    this.folder = folder
    this.#writer = writer
    this.#ownership = ownership
  }

  async append (entries: readonly LogEntry[]): Promise<readonly number[]> {
    for (const { document } of entries) assertDocumentName(document)
    return this.#transact((draft) => appendEntries(draft, entries))
  }

  async create (document: string, update: Uint8Array): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((draft) => createDocument(draft, document, update))
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
    const setAside = await wrapAll((next.setAside ?? []).map(({ update, reason }) => encodeSetAside({ update, reason: keptReason(reason) }, now)))
    return this.#transact((draft) => compactDocument(draft, document, next, { pieces, setAside }))
  }

  async setAside (document: string): Promise<readonly StoredSetAside[]> {
    assertDocumentName(document)
    return readSetAside(this.#view(), document)
  }

  async removeSetAside (document: string): Promise<number> {
    assertDocumentName(document)
    return this.#transact((draft) => removeSetAside(draft, document))
  }

  async remove (document: string): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((draft) => removeDocument(draft, document))
  }

  async * list ({ prefix = '', after }: ListOptions = {}): AsyncGenerator<DocumentInfo> {
    let start = nameKey(prefix)
    if (after !== undefined && nameKey(after).compare(start) >= 0) start = behind(nameKey(after))
    const wanted = nameKey(prefix)
    for (;;) {
      const batch: DocumentInfo[] = []
      const view = this.#view()
      for (const { key, value } of view.getRange({ start, end: namesEnd, limit: LIST_BATCH })) {
        if (!key.subarray(0, wanted.length).equals(wanted)) break
        batch.push(readInfo(view, key, value))
        start = behind(key)
      }
      yield * batch
      if (batch.length < LIST_BATCH) return
      await new Promise(setImmediate)
    }
  }

  async count (): Promise<number> {
    return this.#view().getKeysCount({ start: nameKey(''), end: namesEnd })
  }

  async ping (): Promise<void> {
    if (this.#writer) await this.#transact((draft) => draft.put(PING_KEY, Buffer.from(String(Date.now()))))
    else checkLayout(this.#view())
  }

  /**
   * Copies the whole store, as it is at this moment, to a folder that holds none, while it is in use. The copy is written
   * anew, entry by entry and damage included, with next to nothing free in it; it is there once it is whole and on the disk.
   * @throws StoreInUse where another copy is being made there, or a store has come to be there meanwhile
   */
  async copyTo (folder: string): Promise<void> {
    const view = this.#view()
    const moment = view.useReadTransaction()
    const target = resolve(folder)
    const unfinished = newUnfinishedCopy(target)
    try {
      await removeUnfinishedCopies(target)
      const copy = await openLmdbStore({ path: unfinished, sync: 'fsync', logger: SILENT })
      try {
        const counters = view.get(COUNTERS, { transaction: moment })
        if (counters) await copy.#transact((draft) => draft.put(COUNTERS, counters))
        const entries = view.getRange({ start: nameKey(''), transaction: moment })
        for (const batch of batchesOf(entries)) {
          await copy.#transact((draft) => { for (const { key, value } of batch) draft.put(key, value) })
        }
        await copy.#writer?.trim()
      } finally {
        await copy.close()
      }
      await putInPlace(join(unfinished, DATA_FILE), join(target, DATA_FILE))
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

  /** What to read from until others get their turn: one consistent view, the newest. LMDB does not survive a read after its end. */
  #view (): LmdbTree {
    if (this.#closing) throw new Error('The store is closed')
    // A service sees what it wrote; what another process wrote is only seen by a new view.
    if (!this.#writer) this.#tree.resetReadTxn()
    return this.#tree
  }

  #transact<Result> (work: (draft: Draft) => Result): Promise<Result> {
    if (!this.#writer) return Promise.reject(new Error('The store was opened to be read'))
    return this.#writer.transact(work)
  }
}

/** A snapshot may be large: others get their turn while it is copied. */
async function wrapAll (pieces: readonly Uint8Array[]): Promise<Buffer[]> {
  const wrapped: Buffer[] = []
  let bytes = 0
  for (const piece of pieces) {
    wrapped.push(wrap(piece))
    bytes += piece.length
    if (bytes < WRAP_BATCH_BYTES) continue
    bytes = 0
    await new Promise(setImmediate)
  }
  return wrapped
}

/** @throws where a newer version has written the store */
function checkLayout (tree: LmdbTree): void {
  const layout = Number(tree.getBinary(LAYOUT_KEY)?.toString())
  if (layout !== LAYOUT) throw new Error(`The store has layout ${layout}, and this version of y-provider knows ${LAYOUT} only: run the version that wrote it, or a newer one`)
}

/** Entries in lists that are written in one transaction each. */
function * batchesOf (entries: Iterable<Entry>): Generator<Entry[]> {
  let batch: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    batch.push(entry)
    bytes += entry.key.length + entry.value.length
    if (bytes < COPY_BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** The smallest key behind another. */
const behind = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)])
