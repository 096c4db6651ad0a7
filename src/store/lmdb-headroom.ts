import { open, type FileHandle } from 'node:fs/promises'
import { PAGE_BYTES, type LmdbTree } from './lmdb-draft.ts'
import { lastPage } from './lmdb-file.ts'

const MB = 1 << 20

/** Least that a data file grows by; 1/32 of its size where that is more, up to the most: growing is a wait for those who write. */
const MIN_GROWTH_BYTES = MB / 8
const MAX_GROWTH_BYTES = 64 * MB

/** For the way up to the root, in both of LMDB's trees, and to be on the safe side */
const MORE_PAGES = 16

const ZEROS = Buffer.alloc(MB)

/** What a transaction is about to write. */
export interface WritePlan {
  readonly puts: number
  readonly removes: number
  /** Pages for values that do not share one with others */
  readonly largePages: number
}

/**
 * Keeps the data file longer than what LMDB uses of it, so that LMDB never meets a full disk. It may not: where one of
 * its own writes fails, lmdb 3.5 damages the process's memory now and then (docs/decisions/store-lmdb.md). Here the
 * write that fails is ours, of zeros behind the last page, and what it was for is refused with nothing begun.
 */
export class LmdbHeadroom {
  readonly #tree: LmdbTree
  readonly #file: FileHandle
  #size: number
  /** At least so much is left, as far as we know without asking LMDB */
  #left = 0

  constructor (tree: LmdbTree, file: FileHandle, size: number) {
    this.#tree = tree
    this.#file = file
    this.#size = size
  }

  static async of (tree: LmdbTree, path: string): Promise<LmdbHeadroom> {
    const file = await open(path, 'r+')
    return new LmdbHeadroom(tree, file, (await file.stat()).size)
  }

  /**
   * Makes sure of room for a transaction. Must not be called while one is being written.
   * @returns nothing where there is room already, else a promise that rejects where the disk has none
   */
  reserve (plan: WritePlan): Promise<void> | undefined {
    const roughly = this.#most(plan, this.#size / PAGE_BYTES)
    if (this.#left < roughly) {
      this.#left = this.#size - this.#usedPages * PAGE_BYTES
      if (this.#left < roughly) {
        const need = this.#most(plan, this.#treePages)
        if (this.#left < need) return this.#grow(need - this.#left).then(() => { this.#left -= need })
        this.#left -= need
        return undefined
      }
    }
    this.#left -= roughly
    return undefined
  }

  /**
   * Bytes that a transaction may need behind the last page. Each write changes a leaf, and each page that is changed is
   * written anew, once: no more of them than there are, and those that puts make by splitting one. Then the way up, and lists
   * of free pages: eight bytes for each page of the file at the very most, written anew by each transaction.
   */
  #most ({ puts, removes, largePages }: WritePlan, treePages: number): number {
    const changed = Math.min(2 * (puts + removes), treePages + 2 * puts)
    return (changed + largePages + MORE_PAGES + Math.ceil(this.#size / PAGE_BYTES / 128)) * PAGE_BYTES
  }

  /** All pages of the file but those behind the last that LMDB has used. */
  get #usedPages (): number {
    return lastPage(this.#tree) + 1
  }

  /** Pages of the tree itself, without those that hold large values. */
  get #treePages (): number {
    // As LMDB's own mdb_stat tells it; the types of lmdb leave it open.
    const { treeBranchPageCount, treeLeafPageCount } = this.#tree.getStats() as { treeBranchPageCount: number, treeLeafPageCount: number }
    return treeBranchPageCount + treeLeafPageCount
  }

  /** Gives back what is kept. The next transaction asks for it again. */
  async trim (): Promise<void> {
    const size = this.#usedPages * PAGE_BYTES
    if (size >= this.#size) return
    await this.#file.truncate(size)
    this.#size = size
    this.#left = 0
  }

  async close (): Promise<void> {
    await this.#file.close()
  }

  async #grow (least: number): Promise<void> {
    const before = this.#size
    const wanted = Math.max(least, Math.min(Math.max(Math.ceil(before / 32), MIN_GROWTH_BYTES), MAX_GROWTH_BYTES))
    try {
      while (this.#size < before + wanted) {
        const { bytesWritten } = await this.#file.write(ZEROS, 0, Math.min(ZEROS.length, before + wanted - this.#size), this.#size)
        this.#size += bytesWritten
      }
    } catch (error) {
      if (this.#size < before + least) {
        await this.#file.truncate(before)
        this.#size = before
        throw error
      }
    }
    this.#left += this.#size - before
  }
}
