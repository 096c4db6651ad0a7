import type { Logger } from '../../logging/logger.ts'
import { OutageLog } from '../../logging/outage-log.ts'
import type { DocumentCache } from './document-cache.ts'
import { journalKey } from './layout.ts'
import { foldDocument } from './operations.ts'
import type { Writer } from './writer.ts'

/** Long enough for several updates of a document to be folded together, even if somebody types only now and then. */
const defaultFoldEveryMs = 60_000

/** Bytes of the journal at which it is folded at once. A start after a crash reads at most about twice as much. */
const maxJournalBytes = 4 * 1024 * 1024

/** Documents folded, and records removed, in one transaction: about 1 ms of the event loop. */
const documentsAtOnce = 64
const recordsAtOnce = 256

/** The journal to fold, and how often. */
export interface FoldingOptions {
  /** Has the documents of the journal */
  readonly cache: DocumentCache
  /** The commits that have records in the journal already */
  readonly commits: readonly number[]
  readonly logger: Logger
  /** ms that an update stays in the journal; 60,000 by default */
  readonly foldEveryMs: number | undefined
}

/**
 * Folds the journal now and then: moves the updates of each document to its log, and then removes the records, which
 * count for nothing any more. A crash in between leaves updates in both places; the state of each document says that
 * those of the journal are folded.
 */
export class Folding {
  readonly #writer: Pick<Writer, 'transact'>
  readonly #cache: DocumentCache
  readonly #foldEveryMs: number
  readonly #outages: OutageLog
  /** The commits that have records in the journal. */
  #commits: number[]
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor (
    writer: Pick<Writer, 'transact'>,
    { cache, commits, logger, foldEveryMs = defaultFoldEveryMs }: FoldingOptions
  ) {
    this.#writer = writer
    this.#cache = cache
    this.#foldEveryMs = foldEveryMs
    this.#outages = new OutageLog(logger, () => performance.now())
    this.#commits = [...commits]
    if (commits.length > 0) this.#schedule()
  }

  /** A record was added to the journal. @param bytes its length */
  added (commit: number, bytes: number): void {
    this.#commits.push(commit)
    this.#bytes += bytes
    if (this.#bytes <= maxJournalBytes) this.#schedule()
    else this.fold().catch(() => {}) // reported there, and tried again with the next record
  }

  /**
   * Folds everything that the journal holds now.
   * @throws Error if the store cannot be written; nothing is lost then
   */
  async fold (): Promise<void> {
    // A fold in progress leaves out later updates, so another one follows it.
    await this.#running?.catch(() => {}) // its own caller gets the error
    this.#running ??= this.#fold().finally(() => { this.#running = undefined })
    await this.#running
  }

  /** Folds the journal for the last time, as far as the store can be written. */
  async close (): Promise<void> {
    clearTimeout(this.#timer)
    await this.fold().catch(() => {}) // reported there; the next start reads the journal
    clearTimeout(this.#timer)
  }

  #schedule (): void {
    this.#timer ??= setTimeout(() => {
      this.fold().catch(() => {}) // reported there, and tried again later
    }, this.#foldEveryMs).unref()
  }

  async #fold (): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const commits = this.#commits
    const bytes = this.#bytes
    this.#commits = []
    this.#bytes = 0
    try {
      for (const documents of groupsOf(this.#cache.journaled, documentsAtOnce)) {
        await this.#writer.transact((transaction) => {
          for (const document of documents) foldDocument(transaction, document)
        })
      }
      for (const records of groupsOf(commits, recordsAtOnce)) {
        await this.#writer.transact((transaction) => {
          for (const commit of records) transaction.remove(journalKey(commit))
        })
      }
    } catch (error) {
      this.#commits = [...commits, ...this.#commits]
      this.#bytes += bytes
      this.#outages.report('error', 'Failed to fold the journal; its updates stay there', error)
      this.#schedule()
      throw error
    }
  }
}

function * groupsOf<Item> (items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
