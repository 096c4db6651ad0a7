import { open, type FileHandle } from 'node:fs/promises'
import { PAGE_BYTES, type LmdbTree } from './lmdb-draft.ts'

const MB = 1 << 20

/** Least that a data file grows by; an eighth of its size where that is more, up to the most: growing is a wait for those who write. */
const MIN_GROWTH_BYTES = MB / 4
const MAX_GROWTH_BYTES = 64 * MB

/** For the way up to the root, in both of LMDB's trees, and to be on the safe side */
const MORE_PAGES = 64

const ZEROS = Buffer.alloc(MB)

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

  /** Pages that LMDB uses of the file, and what of the file is behind them. */
  get #usage (): { pages: number, left: number } {
    // `env` is missing in lmdb's types; getStats would tell the same, six times slower.
    const { env } = this.#tree as unknown as { env: { info (): { lastPageNumber: number } } }
    const pages = env.info().lastPageNumber + 1
    return { pages, left: this.#size - pages * PAGE_BYTES }
  }

  /**
   * Makes sure of room for a transaction that writes so many values, large ones on so many pages of their own. Must not
   * be called while one is being written.
   * @returns nothing where there is room already, else a promise that rejects where the disk has none
   */
  reserve (writes: number, largePages: number): Promise<void> | undefined {
    // Each write changes a leaf, which may be split; never more of them than there are. Then the way up, and lists of free
    // pages: eight bytes for each page of the file at the very most, written anew by each transaction.
    const most = (pages: number) => (Math.min(2 * writes, pages + writes) + largePages + MORE_PAGES + Math.ceil(pages / 128)) * PAGE_BYTES
    const roughly = most(this.#size / PAGE_BYTES)
    if (this.#left < roughly) {
      const { pages, left } = this.#usage
      const need = most(pages)
      this.#left = left
      if (left < need) return this.#grow(need - left).then(() => { this.#left -= need })
    }
    this.#left -= roughly
    return undefined
  }

  async close (): Promise<void> {
    await this.#file.close()
  }

  async #grow (least: number): Promise<void> {
    const before = this.#size
    const wanted = Math.max(least, Math.min(Math.max(Math.ceil(before / 8), MIN_GROWTH_BYTES), MAX_GROWTH_BYTES))
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
