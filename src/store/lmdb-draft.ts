import type { RootDatabase } from 'lmdb'

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

/**
 * The transaction that is being put together: reads see what is stored and, above it, what earlier pieces of work in
 * the same draft have written. Nothing reaches LMDB before `writes` is handed to it.
 */
export class Draft {
  readonly #tree: LmdbTree
  readonly #kept = new Map<string, Write>()
  #staged = new Map<string, Write>()

  constructor (tree: LmdbTree) {
    this.#tree = tree
  }

  /** Does a piece of work; where it throws, what it wrote is forgotten and the draft goes on without it. */
  run<Result> (work: (draft: Draft) => Result): Result {
    try {
      const result = work(this)
      for (const [id, write] of this.#staged) this.#kept.set(id, write)
      return result
    } finally {
      this.#staged = new Map()
    }
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

  get writes (): Iterable<Write> {
    return this.#kept.values()
  }

  get size (): number {
    return this.#kept.size
  }

  /** Pages for values that are too large to share one with others. */
  get largePages (): number {
    let pages = 0
    for (const { value } of this.#kept.values()) {
      if (value && value.length > LARGE_BYTES) pages += Math.ceil((value.length + PAGE_HEADER_BYTES) / PAGE_BYTES)
    }
    return pages
  }
}

const idOf = (key: Buffer): string => key.toString('latin1')
