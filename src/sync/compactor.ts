import type { Logger } from '../logger.ts'
import type { SnapshotHead, Store } from '../store/store.ts'
import type { DocumentWork } from './document-work.ts'
import { pieceBytes } from './limits.ts'
import type { Counters } from './services.ts'
import { logBytes, SnapshotReplaced, type StoredDocuments } from './stored-document.ts'

/** How large a document's snapshot and the log behind it are. */
export interface Sizes {
  readonly snapshotBytes: number
  readonly logBytes: number
  readonly logEntries: number
}

/** Told when the snapshot of an open document has been replaced. */
export type OnCompacted = (name: string, head: SnapshotHead, log: { readonly bytes: number, readonly entries: number }) => void

/** A log below this is never worth a compaction while the room is open. */
const minLogBytes = 64 * 1024
/** A log of more entries than this takes a joiner long to read, however small they are. */
const maxLogEntries = 2000
/** When the last one leaves, more entries than this are worth it: a document that rests is small and opens at once. */
const maxLogEntriesAtRest = 50
/** The larger the snapshot, the more: short visits must not write a large document anew each time. */
const bytesForEachEntryAtRest = 32 * 1024
/** The snapshot is written anew when the log has outgrown this fraction of it; so each byte is rewritten few times. */
const logFraction = 0.4
/** A document whose compaction has failed is left alone for this long. */
const retryAfterMs = 60_000

export interface CompactorOptions {
  readonly store: Pick<Store, 'load' | 'compact'>
  readonly stored: StoredDocuments
  readonly work: DocumentWork
  readonly logger: Logger
  readonly counters: Counters
  readonly onCompacted: OnCompacted
  /** Whether compacting the document is this node's turn; the store itself sees to it that two at once do no harm */
  isTurn (name: string): boolean
  now (): number
}

/**
 * Turns snapshot and log into a new snapshot when the log has grown: one document at a time, in a worker. The log's
 * entries go in the same transaction that brings the snapshot, so a crash at any point loses nothing.
 */
export class Compactor {
  readonly #options: CompactorOptions
  readonly #queue = new Set<string>()
  /** Left while they were being compacted: what came meanwhile would rest in the log until somebody opens them again */
  readonly #leftMeanwhile = new Set<string>()
  readonly #failedAt = new Map<string, number>()
  #running: Promise<void> | undefined
  #stopped = false

  constructor (options: CompactorOptions) {
    this.#options = options
  }

  /** Called whenever a log has grown or a room is left; cheap when there is nothing to do. */
  consider (name: string, sizes: Sizes, isLeaving: boolean): void {
    if (this.#stopped || !isWorthIt(sizes, isLeaving) || !this.#options.isTurn(name)) return
    if (this.#queue.has(name)) {
      if (isLeaving) this.#leftMeanwhile.add(name)
      return
    }
    const failedAt = this.#failedAt.get(name)
    if (failedAt !== undefined && this.#options.now() - failedAt < retryAfterMs) return
    this.#queue.add(name)
    this.#running ??= this.#run()
  }

  /** Starts no further compaction. A running one is not waited for: what it has not committed it has not changed. */
  stop (): void {
    this.#stopped = true
    this.#queue.clear()
  }

  /** Resolves when nothing is left to do. */
  async idle (): Promise<void> {
    await this.#running
  }

  async #run (): Promise<void> {
    for (const name of this.#queue) {
      if (this.#stopped) break
      try {
        await this.#compact(name)
        this.#failedAt.delete(name)
      } catch (error) {
        if (this.#stopped || error instanceof SnapshotReplaced) continue
        this.#failedAt.set(name, this.#options.now())
        this.#options.logger.error({ err: error, room: name }, 'A document could not be compacted; its log stays as it is')
      } finally {
        this.#queue.delete(name)
        if (this.#leftMeanwhile.delete(name) && !this.#stopped) this.#queue.add(name)
      }
    }
    this.#running = undefined
  }

  async #compact (name: string): Promise<void> {
    const { store, stored, work, counters, logger, onCompacted, now } = this.#options
    const startedAt = now()
    const document = await store.load(name)
    const last = document?.log.at(-1)
    if (document === undefined || last === undefined) return
    // Another node, or the compaction before this one, may have done it.
    if (!isWorthIt({ snapshotBytes: document.snapshot?.bytes ?? 0, logBytes: logBytes(document), logEntries: document.log.length }, true)) return
    logger.debug({ room: name, entries: document.log.length, bytes: logBytes(document) }, 'Compacting')
    const { pieces, known } = await work.compact(await stored.updates(name, document), pieceBytes)
    const head = await store.compact(name, { replaces: document.snapshot?.generation ?? 0, upTo: last.seq, pieces, known })
    if (head === undefined) return
    counters.compactions++
    logger.debug({ room: name, before: (document.snapshot?.bytes ?? 0) + logBytes(document), after: head.bytes, ms: Math.round(now() - startedAt) }, 'Compacted')
    onCompacted(name, head, { bytes: logBytes(document), entries: document.log.length })
  }
}

function isWorthIt ({ snapshotBytes, logBytes, logEntries }: Sizes, isLeaving: boolean): boolean {
  if (isLeaving) return logEntries > Math.max(maxLogEntriesAtRest, snapshotBytes / bytesForEachEntryAtRest) || logBytes > Math.max(minLogBytes, snapshotBytes * logFraction)
  const entriesAllowed = Math.max(maxLogEntries, snapshotBytes / 512)
  return logBytes > Math.max(minLogBytes, snapshotBytes * logFraction) || logEntries > entriesAllowed
}
