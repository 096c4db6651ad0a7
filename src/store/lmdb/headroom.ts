import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, open, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { PAGE_BYTES, type LmdbTree } from './transaction.ts'
import { lastPage } from './data-file.ts'

const MB = 1 << 20

/** Least that a data file grows by; 1/32 of its size where that is more, up to the most: growing is a wait for those who write. */
const MIN_GROWTH_BYTES = MB / 8
const MAX_GROWTH_BYTES = 64 * MB

/** Where writes are scattered they share no page but the root; each of the others may split, or take from a neighbour. */
const pagesPerWrite = (depth: number): number => 2 * Math.max(depth - 1, 1)

/** Of a tree that has not been looked at; only long names make a deeper one */
const USUAL_DEPTH = 3

/** For the way up to the root, in both of LMDB's trees */
const LIST_PAGES = 16

/** Left by every transaction, so that a start finds room on a full disk too */
const MORE_PAGES = 16

/** What a start and the end of a service write: who the owner is, and the layout. */
const OWN_RECORDS: WritePlan = { puts: 2, removes: 1, largePages: 0 }

/** LMDB's table of readers; it makes one of 8272 bytes, and takes a longer one as it is. */
const LOCK_BYTES = 3 * PAGE_BYTES

/** How a write fails that has no room. */
const FULL = new Set<string | undefined>(['ENOSPC', 'EDQUOT', 'EFBIG'])

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
  /** Of the tree when it was last looked at; it may have become deeper by one since */
  #depth = USUAL_DEPTH

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
        const treePages = this.#treePages
        const need = this.#most(plan, treePages)
        if (this.#left < need) return this.#grow(need - this.#left).then(() => { this.#left -= need })
        this.#left -= need
        return undefined
      }
    }
    this.#left -= roughly
    return undefined
  }

  #most (plan: WritePlan, treePages: number): number {
    return bytesFor(plan, treePages, this.#size, this.#depth) + MORE_PAGES * PAGE_BYTES
  }

  /** All pages of the file but those behind the last that LMDB has used. */
  get #usedPages (): number {
    return lastPage(this.#tree) + 1
  }

  /** Pages of the tree itself, without those that hold large values. */
  get #treePages (): number {
    // As LMDB's own mdb_stat tells it; the types of lmdb leave it open.
    const { treeBranchPageCount, treeLeafPageCount, treeDepth } = this.#tree.getStats() as { treeBranchPageCount: number, treeLeafPageCount: number, treeDepth: number }
    this.#depth = treeDepth
    return treeBranchPageCount + treeLeafPageCount
  }

  /** Gives back what is kept, but for what the end and the next start need. The next transaction asks for it again. */
  async trim (): Promise<void> {
    const size = this.#usedPages * PAGE_BYTES + bytesFor(OWN_RECORDS, Infinity, this.#size)
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

/**
 * Makes sure of room for what a start writes before it is the owner. Another service may be at work on the file, so
 * zeros are put behind its end, wherever that is by now, and nothing is ever taken back.
 * @throws where the disk has no room
 */
export async function makeRoomToStart (tree: LmdbTree, path: string): Promise<void> {
  const file = await open(path, 'a')
  try {
    const { size } = await file.stat()
    const missing = bytesFor(OWN_RECORDS, Infinity, size) - (size - (lastPage(tree) + 1) * PAGE_BYTES)
    if (missing > 0) await file.appendFile(Buffer.alloc(missing))
  } catch (error) {
    throw noRoom(path, error)
  } finally {
    await file.close()
  }
}

/**
 * Makes sure of room for what LMDB makes by itself when a store is opened. It reads and writes its lock file by memory:
 * where the disk has no room for a page of it, the process ends by a signal. So the pages are written here first.
 * @throws where the disk has no room
 */
export async function makeRoomToOpen (path: string): Promise<void> {
  const unfinished = `${path}-${randomUUID()}`
  try {
    if (!existsSync(`${path}-lock`)) {
      await writeFile(unfinished, Buffer.alloc(LOCK_BYTES), { mode: 0o664 })
      // Whole or not at all, and never over that of a service which has started meanwhile
      await link(unfinished, `${path}-lock`).catch(ignoreExisting)
      await rm(unfinished)
    }
    // A new file begins with two pages by LMDB itself.
    if (!existsSync(path)) await writeFile(unfinished, Buffer.alloc(2 * PAGE_BYTES + bytesFor(OWN_RECORDS, Infinity, 0)))
  } catch (error) {
    // Whatever else is wrong (a folder that may only be read, a file system without links), LMDB tells or copes with.
    if (FULL.has((error as NodeJS.ErrnoException).code)) throw noRoom(path, error)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/**
 * Bytes that a transaction may need behind the last page. Each write changes a leaf and the pages above it, and may touch a neighbour
 * when it splits or merges; each page that is changed is written anew, once: no more of them than there are, and those
 * that puts make by splitting one. Then the way up, and lists of free pages: eight bytes for each page of the file at the very most, written anew by each transaction.
 */
function bytesFor ({ puts, removes, largePages }: WritePlan, treePages: number, fileBytes: number, depth = USUAL_DEPTH): number {
  const changed = Math.min(pagesPerWrite(depth) * (puts + removes), treePages + 2 * puts)
  return (changed + largePages + LIST_PAGES + Math.ceil(fileBytes / PAGE_BYTES / 128)) * PAGE_BYTES
}

function noRoom (path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`The store at ${path} cannot be opened: there is no room for what a start writes (${reason}). Make room on the disk`, { cause })
}

function ignoreExisting (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
