import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { open } from 'lmdb'
import type { Logger } from '../logger.ts'
import { assertDocumentName } from './document-name.ts'
import { PAGE_BYTES, type Draft, type LmdbTree } from './lmdb-draft.ts'
import { LmdbHeadroom } from './lmdb-headroom.ts'
import {
  contentLength, decodeRow, decodeState, documentOf, encodeRow, encodeState, knownKey, LAYOUT, logKey, nameKey, namesEnd,
  ownKey, pieceKey, seal, seqOf, stateKey, unseal, wrap, type DocumentRow, type DocumentState,
} from './lmdb-layout.ts'
import { becomeOwner, type Ownership } from './lmdb-owner.ts'
import { LmdbWriter, type LmdbSync } from './lmdb-writer.ts'
import {
  DamagedDocument, type DocumentInfo, type ListOptions, type LogEntry, type NextSnapshot, type SnapshotHead, type Store,
  type StoredDocument, type StoredUpdate,
} from './store.ts'

export interface LmdbOptions {
  /** Folder of the store; made if it is not there */
  readonly path: string
  readonly sync: LmdbSync
  readonly logger: Logger
}

/** One file with everything in it, and LMDB's table of readers beside it. */
const DATA_FILE = 'documents.mdb'

const TREE = { noSubdir: true, encoding: 'binary', keyEncoding: 'binary', pageSize: PAGE_BYTES } as const

/**
 * With `overlappingSync` a transaction is visible first and synced then, and LMDB keeps the last synced one whole: a power
 * cut takes what was not synced and nothing else. Without batching by event turn, lmdb-js makes no promise of its own
 * that nobody holds: on a full disk it would be rejected, and end the process.
 */
const SYNC = { overlappingSync: true, separateFlushed: true, eventTurnBatching: false } as const

const LAYOUT_KEY = ownKey('layout')
const COUNTERS_KEY = ownKey('counters')
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
  await mkdir(folder, { recursive: true })
  const file = join(folder, DATA_FILE)
  const tree: LmdbTree = open({ path: file, ...TREE, ...SYNC })
  let ownership: Ownership | undefined
  try {
    ownership = await becomeOwner(tree, folder)
    claimLayout(tree)
    return new LmdbStore(tree, folder, new LmdbWriter(tree, await LmdbHeadroom.of(tree, file), sync, logger), ownership)
  } catch (error) {
    await ownership?.release()
    await tree.close()
    throw error
  }
}

/** Opens the embedded store to read it, beside a service that may be running; every write rejects. */
export async function openLmdbReader (path: string): Promise<LmdbStore> {
  const folder = resolve(path)
  const file = join(folder, DATA_FILE)
  if (!existsSync(file)) throw new Error(`There is no store in ${folder}`)
  const tree: LmdbTree = open({ path: file, ...TREE, readOnly: true })
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
    return this.#transact((draft) => {
      const now = Date.now()
      const touched = new Map<string, OpenDocument>()
      const seqs = entries.map(({ document, update }) => {
        let open = touched.get(document)
        if (!open) touched.set(document, open = openDocument(draft, document) ?? createDocument(draft, document, now))
        return appendUpdate(draft, open, update)
      })
      for (const open of touched.values()) writeState(draft, open, now)
      return seqs
    })
  }

  async create (document: string, update: Uint8Array): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((draft) => {
      if (openDocument(draft, document)) return false
      const now = Date.now()
      const open = createDocument(draft, document, now)
      appendUpdate(draft, open, update)
      writeState(draft, open, now)
      return true
    })
  }

  async load (document: string, since = 0): Promise<StoredDocument | undefined> {
    assertDocumentName(document)
    const view = this.#view()
    const open = openDocument(view, document)
    if (!open) return undefined
    const { id, state } = open
    const snapshot = readHead(view, document, open)
    const from = Math.max(since, snapshot?.upTo ?? 0)
    const log: StoredUpdate[] = []
    for (const { key, value } of view.getRange({ start: logKey(id, from + 1), end: stateKey(id) })) {
      const update = unseal(key, value)
      if (!update) throw new DamagedDocument(document, `entry ${seqOf(key)} of its log fails its checksum`)
      log.push({ seq: seqOf(key), update: keepable(update) })
    }
    return { snapshot, log, lastSeq: state.lastSeq }
  }

  async readPiece (document: string, generation: number, index: number): Promise<Uint8Array | undefined> {
    assertDocumentName(document)
    const view = this.#view()
    const open = openDocument(view, document)
    if (!open || open.state.generation !== generation || index < 0 || index >= open.state.pieces) return undefined
    const key = pieceKey(open.id, generation, index)
    return keepable(readContent(view, document, key, `piece ${index} of its snapshot`))
  }

  async compact (document: string, next: NextSnapshot): Promise<SnapshotHead | undefined> {
    assertDocumentName(document)
    const pieces = await wrapAll(next.pieces)
    return this.#transact((draft) => {
      const open = openDocument(draft, document)
      // A number from before the document's own: the snapshot was made of another one, since removed, of the same name.
      if (!open || open.state.generation !== next.replaces || next.upTo <= open.state.base) return undefined
      const { id, state } = open
      if (next.upTo > state.lastSeq || next.upTo < state.upTo) {
        throw new RangeError(`A snapshot up to ${next.upTo} cannot stand before a log of ${state.upTo + 1} to ${state.lastSeq}`)
      }
      dropSnapshot(draft, open)
      for (const key of draft.keys(logKey(id, 0), logKey(id, next.upTo + 1))) draft.remove(key)
      const counters = readCounters(draft)
      state.generation = Math.max(state.generation, counters.floor) + 1
      state.upTo = next.upTo
      state.pieces = next.pieces.length
      state.snapshotBytes = next.pieces.reduce((sum, { length }) => sum + length, 0)
      pieces.forEach((piece, index) => {
        const key = pieceKey(id, state.generation, index)
        draft.put(key, seal(key, piece))
      })
      put(draft, knownKey(id, state.generation), next.known)
      const left = draft.keys(logKey(id, next.upTo + 1), stateKey(id))
      state.logEntries = left.length
      state.logBytes = left.reduce((sum, key) => sum + contentLength(draft.get(key) ?? EMPTY), 0)
      writeState(draft, open, state.updatedAt)
      return { generation: state.generation, upTo: state.upTo, pieces: state.pieces, bytes: state.snapshotBytes, known: new Uint8Array(next.known) }
    })
  }

  async remove (document: string): Promise<boolean> {
    assertDocumentName(document)
    return this.#transact((draft) => {
      const open = openDocument(draft, document)
      if (!open) return false
      dropSnapshot(draft, open)
      for (const key of draft.keys(logKey(open.id, 0), stateKey(open.id))) draft.remove(key)
      draft.remove(stateKey(open.id))
      draft.remove(nameKey(document))
      const counters = readCounters(draft)
      writeCounters(draft, { ...counters, floor: Math.max(counters.floor, open.state.lastSeq, open.state.generation) })
      return true
    })
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

  async ping (): Promise<void> {
    if (this.#writer) await this.#transact((draft) => draft.put(PING_KEY, Buffer.from(String(Date.now()))))
    else checkLayout(this.#view())
  }

  /** Copies the whole store, as it is at this moment, to a file while it is in use. The folder must be there and hold none. */
  async copyTo (folder: string): Promise<void> {
    await this.#view().backup(join(resolve(folder), DATA_FILE), true)
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

interface OpenDocument extends DocumentRow {
  readonly state: DocumentState
}

/** Document ids and the floor under new numbers. */
interface Counters {
  readonly nextId: number
  /** The highest seq or generation of any document that was removed: one that comes into being later begins above */
  readonly floor: number
}

const EMPTY = Buffer.alloc(0)
const NO_STATE: DocumentState = { base: 0, lastSeq: 0, logBytes: 0, logEntries: 0, updatedAt: 0, generation: 0, upTo: 0, pieces: 0, snapshotBytes: 0 }

function openDocument (from: { get (key: Buffer): Buffer | undefined }, document: string): OpenDocument | undefined {
  const name = nameKey(document)
  const value = from.get(name)
  if (!value) return undefined
  const row = unseal(name, value)
  if (!row) throw new DamagedDocument(document, 'its entry fails its checksum')
  const { id, createdAt } = decodeRow(row)
  const key = stateKey(id)
  const record = from.get(key)
  const state = record && unseal(key, record)
  if (!state) throw new DamagedDocument(document, record ? 'its state fails its checksum' : 'its state is missing')
  return { id, createdAt, state: decodeState(state) }
}

function readHead (view: LmdbTree, document: string, { id, state }: OpenDocument): SnapshotHead | undefined {
  const { generation, upTo, pieces, snapshotBytes: bytes } = state
  if (generation === 0) return undefined
  const known = readContent(view, document, knownKey(id, generation), 'what its snapshot knows')
  return { generation, upTo, pieces, bytes, known: keepable(known) }
}

function readContent (view: LmdbTree, document: string, key: Buffer, what: string): Buffer {
  const value = view.getBinary(key)
  if (!value) throw new DamagedDocument(document, `${what} is missing`)
  const content = unseal(key, value)
  if (!content) throw new DamagedDocument(document, `${what} fails its checksum`)
  return content
}

/** A damaged document is told of too, or nobody would find it. */
function readInfo (view: LmdbTree, key: Buffer, value: Buffer): DocumentInfo {
  const content = unseal(key, value)
  const row = content ? decodeRow(content) : { id: 0, createdAt: 0 }
  const record = view.getBinary(stateKey(row.id))
  const state = record && unseal(stateKey(row.id), record)
  const { snapshotBytes, logBytes, logEntries, lastSeq, updatedAt } = state ? decodeState(state) : NO_STATE
  return { document: documentOf(key), snapshotBytes, logBytes, logEntries, lastSeq, createdAt: row.createdAt, updatedAt }
}

function createDocument (draft: Draft, document: string, now: number): OpenDocument {
  const counters = readCounters(draft)
  const row = { id: counters.nextId, createdAt: now }
  writeCounters(draft, { ...counters, nextId: counters.nextId + 1 })
  put(draft, nameKey(document), encodeRow(row))
  return { ...row, state: { ...NO_STATE, base: counters.floor, lastSeq: counters.floor } }
}

function appendUpdate (draft: Draft, { id, state }: OpenDocument, update: Uint8Array): number {
  state.lastSeq++
  state.logEntries++
  state.logBytes += update.length
  put(draft, logKey(id, state.lastSeq), update)
  return state.lastSeq
}

function writeState (draft: Draft, { id, state }: OpenDocument, now: number): void {
  state.updatedAt = now
  put(draft, stateKey(id), encodeState(state))
}

function dropSnapshot (draft: Draft, { id, state: { generation, pieces } }: OpenDocument): void {
  if (generation === 0) return
  for (let index = 0; index < pieces; index++) draft.remove(pieceKey(id, generation, index))
  draft.remove(knownKey(id, generation))
}

function put (draft: Draft, key: Buffer, content: Uint8Array): void {
  draft.put(key, seal(key, wrap(content)))
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

function readCounters (draft: Draft): Counters {
  const text = draft.get(COUNTERS_KEY)
  // Written below and nowhere else.
  return text ? JSON.parse(text.toString()) as Counters : { nextId: 1, floor: 0 }
}

function writeCounters (draft: Draft, counters: Counters): void {
  draft.put(COUNTERS_KEY, Buffer.from(JSON.stringify(counters)))
}

function claimLayout (tree: LmdbTree): void {
  if (tree.getBinary(LAYOUT_KEY)) checkLayout(tree)
  else tree.putSync(LAYOUT_KEY, Buffer.from(String(LAYOUT)))
}

/** @throws where a newer version has written the store */
function checkLayout (tree: LmdbTree): void {
  const layout = Number(tree.getBinary(LAYOUT_KEY)?.toString())
  if (layout !== LAYOUT) throw new Error(`The store has layout ${layout}, and this version of y-provider knows ${LAYOUT} only: run the version that wrote it, or a newer one`)
}

/** The smallest key behind another. */
const behind = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)])

/** A plain array of its own: Buffers come from shared memory, and their `slice` is not the one Yjs expects. */
const keepable = (content: Buffer): Uint8Array => new Uint8Array(content)
