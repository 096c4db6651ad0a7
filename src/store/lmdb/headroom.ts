import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, open, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { lastPage } from './data-file.ts'
import { pageBytes, type LmdbTree } from './tree.ts'

const mebibyte = 1 << 20

/** A data file grows by 1/32 of its size within these bounds, because writers wait while it grows. */
const minGrowthBytes = mebibyte / 8
const maxGrowthBytes = 64 * mebibyte

/**
 * Scattered writes share no page but the root; each of the other pages can split, or take entries from the next page.
 */
const pagesPerWrite = (depth: number): number => 2 * Math.max(depth - 1, 1)

/** Levels assumed for a tree before its depth is read; only long names make a deeper one. */
const usualDepth = 3

/** Pages on the path to the root, in both of LMDB's trees. */
const freeListPages = 16

/** Pages that every transaction leaves free, so that a service can start on a full disk. */
const sparePages = 16

/** The store's own records that a service writes when it starts and stops: the owner and the layout. */
const ownRecords: WritePlan = { puts: 2, removes: 1, largePages: 0 }

/** Bytes of LMDB's lock file. LMDB creates one of 8272 bytes, and accepts a longer one. */
const lockFileBytes = 3 * pageBytes

/** The codes of a write that failed for lack of room. */
const noRoomCodes = new Set<string | undefined>(['ENOSPC', 'EDQUOT', 'EFBIG'])

const zeros = Buffer.alloc(mebibyte)

/** The writes of a transaction, counted. */
export interface WritePlan {
  readonly puts: number
  readonly removes: number
  /** Pages for values that share no page. */
  readonly largePages: number
}

/**
 * Keeps the data file longer than the part that LMDB uses, so that LMDB never meets a full disk: if one of its own
 * writes fails, lmdb 3.5 sometimes corrupts the memory of the process (docs/decisions/store-lmdb.md). With the
 * headroom, the write that fails is a write of zeros after the last page, and the transaction is rejected before it
 * begins.
 */
export class Headroom {
  readonly #tree: LmdbTree
  readonly #file: FileHandle
  #size: number
  /** Free bytes, at least, as far as is known without asking LMDB. */
  #left = 0
  /** The depth of the tree when it was last read; the tree can be one level deeper now. */
  #depth = usualDepth

  constructor (tree: LmdbTree, file: FileHandle, size: number) {
    this.#tree = tree
    this.#file = file
    this.#size = size
  }

  /** Opens the data file of a tree a second time, to extend it. */
  static async of (tree: LmdbTree, path: string): Promise<Headroom> {
    const file = await open(path, 'r+')
    return new Headroom(tree, file, (await file.stat()).size)
  }

  /**
   * Reserves room for a transaction. Not to be called while another one is being written.
   * @returns undefined if there is room already; otherwise a promise that rejects if the disk is full
   */
  reserve (plan: WritePlan): Promise<void> | undefined {
    const roughly = this.#most(plan, this.#size / pageBytes)
    if (this.#left < roughly) {
      this.#left = this.#size - this.#usedPages * pageBytes
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
    return bytesFor(plan, treePages, this.#size, this.#depth) + sparePages * pageBytes
  }

  /** The pages of the file up to the last one that LMDB has used. */
  get #usedPages (): number {
    return lastPage(this.#tree) + 1
  }

  /** Pages of the tree itself, without those of large values. */
  get #treePages (): number {
    // The fields of LMDB's mdb_stat, which lmdb's types leave open.
    const stats = this.#tree.getStats() as { treeBranchPageCount: number, treeLeafPageCount: number, treeDepth: number }
    const { treeBranchPageCount, treeLeafPageCount, treeDepth } = stats
    this.#depth = treeDepth
    return treeBranchPageCount + treeLeafPageCount
  }

  /**
   * Frees the headroom, except for the room that a stop and the next start need. The next transaction reserves anew.
   */
  async trim (): Promise<void> {
    const size = this.#usedPages * pageBytes + bytesFor(ownRecords, Infinity, this.#size)
    if (size >= this.#size) return
    await this.#file.truncate(size)
    this.#size = size
    this.#left = 0
  }

  /** Closes the file. */
  async close (): Promise<void> {
    await this.#file.close()
  }

  async #grow (least: number): Promise<void> {
    const before = this.#size
    const wanted = Math.max(least, Math.min(Math.max(Math.ceil(before / 32), minGrowthBytes), maxGrowthBytes))
    try {
      while (this.#size < before + wanted) {
        const length = Math.min(zeros.length, before + wanted - this.#size)
        const { bytesWritten } = await this.#file.write(zeros, 0, length, this.#size)
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
 * Makes room for the records that a starting service writes before it owns the store. Another service may be using the
 * file, so zeros are appended at its current end, and the file is never shortened.
 * @throws Error if the disk is full
 */
export async function makeRoomToStart (tree: LmdbTree, path: string): Promise<void> {
  const file = await open(path, 'a')
  try {
    const { size } = await file.stat()
    const missing = bytesFor(ownRecords, Infinity, size) - (size - (lastPage(tree) + 1) * pageBytes)
    if (missing > 0) await file.appendFile(Buffer.alloc(missing))
  } catch (error) {
    throw noRoom(path, error)
  } finally {
    await file.close()
  }
}

/**
 * Makes room for the files that LMDB itself creates when it opens a store. LMDB maps its lock file into memory, and a
 * signal kills the process if the disk has no room for a page of it; so the pages are written here first.
 * @throws Error if the disk is full
 */
export async function makeRoomToOpen (path: string): Promise<void> {
  const unfinished = `${path}-${randomUUID()}`
  try {
    if (!existsSync(`${path}-lock`)) {
      await writeFile(unfinished, Buffer.alloc(lockFileBytes), { mode: 0o664 })
      // A link appears complete or not at all, and never replaces the file of a service that has started meanwhile.
      await link(unfinished, `${path}-lock`).catch(ignoreExisting)
      await rm(unfinished)
    }
    // LMDB itself begins a new file with two pages.
    const newFileBytes = 2 * pageBytes + bytesFor(ownRecords, Infinity, 0)
    if (!existsSync(path)) await writeFile(unfinished, Buffer.alloc(newFileBytes))
  } catch (error) {
    // LMDB reports or tolerates every other failure: a read-only folder, a file system without links.
    if (noRoomCodes.has((error as NodeJS.ErrnoException).code)) throw noRoom(path, error)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/**
 * The most bytes that a transaction can need after the last page. Each write changes a leaf and the pages above it, and
 * can touch the next page when it splits or merges; each changed page is written anew, once. So no more pages are
 * written than exist, plus those that puts create by splitting one. The lists of free pages are written anew by each
 * transaction: at most eight bytes for each page of the file.
 */
function bytesFor (
  { puts, removes, largePages }: WritePlan,
  treePages: number,
  fileBytes: number,
  depth = usualDepth
): number {
  const changed = Math.min(pagesPerWrite(depth) * (puts + removes), treePages + 2 * puts)
  return (changed + largePages + freeListPages + Math.ceil(fileBytes / pageBytes / 128)) * pageBytes
}

function noRoom (path: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`The store at ${path} cannot be opened: the disk has no room for the records of a start (${reason}). Free some space`, { cause })
}

function ignoreExisting (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
