import type { DocumentCache } from './document-cache.ts'
import type { WritePlan } from './headroom.ts'
import { noJournal } from './journal.ts'
import { encodeRecord, type JournalEntry } from './journal-record.ts'
import { journalKey } from './layout.ts'
import { openDocument, type OpenDocument } from './lookups.ts'
import { pageBytes, type LmdbTree } from './tree.ts'

const pageHeaderBytes = 24

/** Bytes from which a value is assumed to take pages of its own: LMDB keeps at least two entries to a page. */
const largeValueBytes = pageBytes / 4

/** A change to one key. */
export interface Write {
  readonly key: Buffer
  /** undefined: remove the key. */
  readonly value: Buffer | undefined
}

/**
 * A transaction that is being prepared: reads see the stored data and, on top of it, the writes of earlier operations
 * of the same transaction. LMDB gets the `writes` when the transaction is complete.
 */
export class Transaction {
  readonly #tree: LmdbTree
  readonly #cache: DocumentCache
  readonly #kept = new Map<string, Write>()
  readonly #keptDocuments = new Map<string, OpenDocument | null>()
  #staged = new Map<string, Write>()
  #stagedDocuments = new Map<string, OpenDocument | null>()
  readonly #keptEntries: JournalEntry[] = []
  #stagedEntries: JournalEntry[] = []
  #commit = 0
  #journalBytes = 0

  constructor (tree: LmdbTree, cache: DocumentCache) {
    this.#tree = tree
    this.#cache = cache
  }

  /** Runs an operation. If it throws, its writes are dropped and the transaction continues without them. */
  run<Result> (operation: (transaction: Transaction) => Result): Result {
    try {
      const result = operation(this)
      for (const [id, write] of this.#staged) this.#kept.set(id, write)
      for (const [document, open] of this.#stagedDocuments) this.#keptDocuments.set(document, open)
      for (const entry of this.#stagedEntries) this.#keptEntries.push(entry)
      return result
    } finally {
      if (this.#stagedEntries.length > 0) this.#stagedEntries = []
      if (this.#staged.size > 0) this.#staged = new Map()
      if (this.#stagedDocuments.size > 0) this.#stagedDocuments = new Map()
    }
  }

  /**
   * The document as the transaction has it so far: a copy that the caller can change and put back with `setDocument`.
   * @throws DamagedDocument
   */
  document (document: string): OpenDocument | undefined {
    const open = this.#lookUp(document)
    return open ? { ...open, state: { ...open.state } } : undefined
  }

  /** Changes a document for the following operations. @param open null: the document was removed */
  setDocument (document: string, open: OpenDocument | null): void {
    this.#stagedDocuments.set(document, open)
  }

  #lookUp (document: string): OpenDocument | null | undefined {
    const staged = this.#stagedDocuments.get(document)
    if (staged !== undefined) return staged
    const kept = this.#keptDocuments.get(document)
    if (kept !== undefined) return kept
    const cached = this.#cache.get(document)
    return cached === undefined ? openDocument(this, document, noJournal) : cached
  }

  /** The value of a key; undefined: the key does not exist. */
  get (key: Buffer): Buffer | undefined {
    const id = idOf(key)
    const write = this.#staged.get(id) ?? this.#kept.get(id)
    return write === undefined ? this.#tree.getBinary(key) : write.value
  }

  /** Writes the value of a key. Both buffers are kept. */
  put (key: Buffer, value: Buffer): void {
    this.#staged.set(idOf(key), { key, value })
  }

  /** Removes a key. */
  remove (key: Buffer): void {
    this.#staged.set(idOf(key), { key, value: undefined })
  }

  /** Adds updates to the journal. */
  addToJournal (entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#stagedEntries.push(entry)
  }

  /** Writes what was added to the journal, as its record of this commit. Call it once, after all operations. */
  writeJournal (commit: number): void {
    if (this.#keptEntries.length === 0) return
    const key = journalKey(commit)
    const value = encodeRecord(key, this.#keptEntries)
    this.#kept.set(idOf(key), { key, value })
    this.#commit = commit
    this.#journalBytes = value.length
  }

  /** The number of its record in the journal. */
  get commit (): number { return this.#commit }

  /** Bytes of its record in the journal; 0: it has none. */
  get journalBytes (): number { return this.#journalBytes }

  /** All keys from `start` to `end`, without `end`, in no order. */
  keys (start: Buffer, end: Buffer): Buffer[] {
    const found = new Map<string, Buffer>()
    for (const key of this.#tree.getKeys({ start, end })) found.set(idOf(key), key)
    for (const writes of [this.#kept, this.#staged]) {
      for (const [id, { key, value }] of writes) {
        if (value === undefined) found.delete(id)
        else if (start.compare(key) <= 0 && key.compare(end) < 0) found.set(id, key)
      }
    }
    return [...found.values()]
  }

  /** Caches the documents that were written. Call it once readers see the writes. */
  remember (): void {
    for (const [document, open] of this.#keptDocuments) this.#cache.set(document, open)
  }

  /** All changes, one for each key. */
  get writes (): Iterable<Write> {
    return this.#kept.values()
  }

  /** The number of changes. */
  get size (): number {
    return this.#kept.size
  }

  /** The room that the writes need in the file. */
  get plan (): WritePlan {
    let puts = 0
    let largePages = 0
    for (const { value } of this.#kept.values()) {
      if (!value) continue
      puts++
      if (value.length > largeValueBytes) largePages += Math.ceil((value.length + pageHeaderBytes) / pageBytes)
    }
    return { puts, removes: this.#kept.size - puts, largePages }
  }
}

const idOf = (key: Buffer): string => key.toString('latin1')
