import type { RootDatabase } from 'lmdb'
import { BoundedMap } from '../../queue/bounded-map.ts'
import type { WritePlan } from './headroom.ts'
import { openDocument, type OpenDocument } from './lookups.ts'

/** LMDB's own, told to it when the store is made. */
export const PAGE_BYTES = 4096
const PAGE_HEADER_BYTES = 24

/** LMDB keeps at least two entries to a page; what is larger gets pages of its own. Here on the safe side. */
const LARGE_BYTES = PAGE_BYTES / 4

export type LmdbTree = RootDatabase<Buffer, Buffer>

interface Write {
  readonly key: Buffer
  /** undefined: remove */
  readonly value: Buffer | undefined
}

/** Documents remembered, at about 300 bytes each. */
const maxCachedDocuments = 10_000

/** The documents that were written last, so that an append need not look them up. `null`: the document was removed. */
export type DocumentCache = BoundedMap<string, OpenDocument | null>

/** Makes an empty cache. */
export const newDocumentCache = (): DocumentCache => new BoundedMap(maxCachedDocuments)

/**
 * The transaction that is being put together: reads see what is stored and, above it, what earlier pieces of work in
 * the same draft have written. Nothing reaches LMDB before `writes` is handed to it.
 */
export class Draft {
  readonly #tree: LmdbTree
  readonly #cache: DocumentCache
  readonly #kept = new Map<string, Write>()
  readonly #keptDocuments = new Map<string, OpenDocument | null>()
  #staged = new Map<string, Write>()
  #stagedDocuments = new Map<string, OpenDocument | null>()

  constructor (tree: LmdbTree, cache: DocumentCache) {
    this.#tree = tree
    this.#cache = cache
  }

  /** Does a piece of work; where it throws, what it wrote is forgotten and the draft goes on without it. */
  run<Result> (work: (draft: Draft) => Result): Result {
    try {
      const result = work(this)
      for (const [id, write] of this.#staged) this.#kept.set(id, write)
      for (const [document, open] of this.#stagedDocuments) this.#keptDocuments.set(document, open)
      return result
    } finally {
      if (this.#staged.size > 0) this.#staged = new Map()
      if (this.#stagedDocuments.size > 0) this.#stagedDocuments = new Map()
    }
  }

  /** The document as the draft has it so far, as a copy to be changed; `setDocument` makes the change known. @throws DamagedDocument */
  document (document: string): OpenDocument | undefined {
    const open = this.#lookUp(document)
    return open ? { ...open, state: { ...open.state } } : undefined
  }

  /** @param open null: there is none any more */
  setDocument (document: string, open: OpenDocument | null): void {
    this.#stagedDocuments.set(document, open)
  }

  #lookUp (document: string): OpenDocument | null | undefined {
    const staged = this.#stagedDocuments.get(document)
    if (staged !== undefined) return staged
    const kept = this.#keptDocuments.get(document)
    if (kept !== undefined) return kept
    const cached = this.#cache.get(document)
    return cached === undefined ? openDocument(this, document) : cached
  }

  get (key: Buffer): Buffer | undefined {
    const id = idOf(key)
    const write = this.#staged.get(id) ?? this.#kept.get(id)
    return write === undefined ? this.#tree.getBinary(key) : write.value
  }

  put (key: Buffer, value: Buffer): void {
    this.#staged.set(idOf(key), { key, value })
  }

  remove (key: Buffer): void {
    this.#staged.set(idOf(key), { key, value: undefined })
  }

  /** All keys from `start` up to and without `end`, in no order. */
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

  /** To be called once readers see what was written. */
  remember (): void {
    for (const [document, open] of this.#keptDocuments) this.#cache.set(document, open)
  }

  get writes (): Iterable<Write> {
    return this.#kept.values()
  }

  get size (): number {
    return this.#kept.size
  }

  /** What the writes will ask of the file. */
  get plan (): WritePlan {
    let puts = 0
    let largePages = 0
    for (const { value } of this.#kept.values()) {
      if (!value) continue
      puts++
      if (value.length > LARGE_BYTES) largePages += Math.ceil((value.length + PAGE_HEADER_BYTES) / PAGE_BYTES)
    }
    return { puts, removes: this.#kept.size - puts, largePages }
  }
}

const idOf = (key: Buffer): string => key.toString('latin1')
