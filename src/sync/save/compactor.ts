import type { Logger } from '../../logging/logger.ts'
import { causeOf } from '../../logging/outage-log.ts'
import type { SnapshotHead, Store } from '../../store/store.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { Backoff } from './backoff.ts'
import type { CompactResult, DocumentWork } from '../document-work.ts'
import { pieceBytes } from '../limits.ts'
import type { Counters } from '../counters.ts'
import { logBytes, SnapshotReplaced, type StoredDocuments } from './stored-documents.ts'

/** The size of a document's snapshot and of the log after it. */
export interface Sizes {
  readonly snapshotBytes: number
  readonly logBytes: number
  readonly logEntries: number
}

/** Called when the snapshot of a document has been replaced. */
export type OnCompacted =
  (name: string, head: SnapshotHead, log: { readonly bytes: number, readonly entries: number }) => void

/** Bytes of the smallest log that is worth a compaction while the room is open. */
const minLogBytes = 64 * 1024
/** Entries above which a log takes a joining client too long to read, even if they are small. */
const maxLogEntries = 2000
/** Entries that are worth a compaction when the last client leaves: a document at rest is small and opens at once. */
const maxLogEntriesAtRest = 50
/** Bytes of the snapshot that allow one more entry: short visits must not rewrite a large document each time. */
const bytesForEachEntryAtRest = 32 * 1024
/** The same while the room is open. */
const bytesForEachEntry = 512
/** Fraction of the snapshot above which a log is compacted: so each byte is rewritten few times. */
const logFraction = 0.4

/** Reasons in a log line, at most: it names the kinds of fault, not each of a thousand updates. */
const maxReasonsLogged = 5

/** The store and the workers that compact documents, and how results are reported. */
export interface CompactorOptions {
  readonly store: Pick<Store, 'load' | 'compact'>
  readonly stored: StoredDocuments
  readonly work: DocumentWork
  readonly logger: Logger
  readonly counters: Counters
  readonly onCompacted: OnCompacted
  /** Whether it is this node's turn to compact the document; the store makes sure that two at once do no harm */
  isTurn (name: string): boolean
  now (): number
}

/**
 * Turns snapshot and log into a new snapshot when the log has grown: one document at a time, in a worker. The same
 * transaction adds the snapshot and removes the log's entries, so a crash at any point loses nothing.
 */
export class Compactor {
  readonly #options: CompactorOptions
  /** Names, and the bytes that each document had when it was queued */
  readonly #queue = new Map<string, number>()
  /** Documents that were left while being compacted: newer entries would stay in the log until they are opened again */
  readonly #leftMeanwhile = new Set<string>()
  readonly #repairs = new Map<string, Promise<void>>()
  /** Documents that could not be rewritten at all */
  readonly #failing: Backoff
  /** Documents that could not be built within the limits of time and memory: they are merged instead */
  readonly #unbuildable: Backoff
  #running: Promise<void> | undefined
  #stopped = false

  constructor (options: CompactorOptions) {
    this.#options = options
    this.#failing = new Backoff(options.now)
    this.#unbuildable = new Backoff(options.now)
  }

  /** Documents whose last compaction failed. */
  get inBackoff (): number { return this.#failing.size + this.#unbuildable.size }

  /** To be called whenever a log has grown or a room is left; cheap if there is nothing to do. */
  consider (name: string, sizes: Sizes, isLeaving: boolean): void {
    if (this.#stopped || !isWorthIt(sizes, isLeaving) || !this.#options.isTurn(name)) return
    if (this.#queue.has(name)) {
      if (isLeaving) this.#leftMeanwhile.add(name)
      return
    }
    if (this.#failing.isWaiting(name)) return
    this.#queue.set(name, sizes.snapshotBytes + sizes.logBytes)
    this.#running ??= this.#run()
  }

  /**
   * Rewrites a document that cannot be read because of updates that Yjs cannot apply: they are set aside, the rest is
   * kept. Concurrent calls share one attempt.
   * @throws the error of the attempt; a document that has failed before is not retried at once
   */
  async repair (name: string): Promise<void> {
    let repair = this.#repairs.get(name)
    if (repair === undefined) {
      repair = this.#repair(name).finally(() => { this.#repairs.delete(name) })
      this.#repairs.set(name, repair)
    }
    await repair
  }

  async #repair (name: string): Promise<void> {
    if (this.#stopped || this.#failing.isWaiting(name)) throw new Error('The document cannot be repaired now')
    try {
      await this.#compact(name, true)
    } catch (error) {
      if (!this.#stopped && !(error instanceof SnapshotReplaced)) {
        this.#note(this.#failing, name, 0, error, 'Failed to set aside updates that Yjs cannot apply')
      }
      throw error
    }
  }

  /** Starts no further compaction. A running one is not awaited: nothing changes before it commits. */
  stop (): void {
    this.#stopped = true
    this.#queue.clear()
  }

  /** Resolves when no compaction runs or waits. */
  async idle (): Promise<void> {
    await this.#running
  }

  async #run (): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [name, bytes] = next
      try {
        await this.#compact(name)
        this.#failing.succeeded(name)
      } catch (error) {
        if (!this.#stopped && !(error instanceof SnapshotReplaced)) {
          this.#note(this.#failing, name, bytes, error, 'Failed to compact a document; its log stays as it is')
        }
      } finally {
        this.#queue.delete(name)
        if (this.#leftMeanwhile.delete(name) && !this.#stopped) this.#queue.set(name, bytes)
      }
    }
    this.#running = undefined
  }

  /** Documents that have failed before come last: a retry can take as long as its deadline. */
  #next (): [name: string, bytes: number] | undefined {
    let failedBefore: [string, number] | undefined
    for (const entry of this.#queue) {
      if (!this.#failing.has(entry[0]) && !this.#unbuildable.has(entry[0])) return entry
      failedBefore ??= entry
    }
    return failedBefore
  }

  #note (backoff: Backoff, name: string, bytes: number, error: unknown, event: string): void {
    this.#options.counters.count('compactionFailures')
    const retryInMs = backoff.failed(name)
    const kind = error instanceof Error ? error.name : 'Error'
    this.#options.logger.error({ ...causeOf(error), kind, room: name, bytes, retryInMs }, event)
  }

  /** @param isRepair whether to rewrite it even if it is small or its log is empty */
  async #compact (name: string, isRepair = false): Promise<void> {
    const { store, stored, counters, logger, onCompacted, now } = this.#options
    const startedAt = now()
    const document = await store.load(name)
    const upTo = document?.log.at(-1)?.seq ?? (isRepair ? document?.snapshot?.upTo : undefined)
    if (document === undefined || upTo === undefined) return
    const log = { bytes: logBytes(document), entries: document.log.length }
    const snapshotBytes = document.snapshot?.bytes ?? 0
    // Another node, or the compaction before this one, can have done it.
    if (!isRepair && !isWorthIt({ snapshotBytes, logBytes: log.bytes, logEntries: log.entries }, true)) return
    logger.debug({ room: name, ...log }, 'Compacting')
    const { pieces, known, setAside } = await this.#rewrite(name, await stored.updates(name, document))
    const replaces = document.snapshot?.generation ?? 0
    const head = await store.compact(name, { replaces, upTo, pieces, known, setAside })
    if (head === undefined) return
    counters.count('compactions')
    if (setAside.length > 0) this.#reportSetAside(name, setAside)
    const ms = Math.round(now() - startedAt)
    logger.debug({ room: name, before: snapshotBytes + log.bytes, after: head.bytes, ms }, 'Compacted')
    onCompacted(name, head, log)
  }

  #reportSetAside (name: string, setAside: CompactResult['setAside']): void {
    this.#options.counters.count('updatesSetAside', setAside.length)
    const reasons = [...new Set(setAside.map(({ reason }) => reason))].slice(0, maxReasonsLogged)
    const event = 'Set aside updates that Yjs cannot apply; the rest of the document is kept (y-provider check)'
    this.#options.logger.error({ room: name, updates: setAside.length, reasons }, event)
  }

  /**
   * A document that cannot be built is merged: deleted content stays in it, but its log does not grow without bound.
   */
  async #rewrite (name: string, updates: readonly Uint8Array[]): Promise<CompactResult> {
    const { work } = this.#options
    if (!this.#unbuildable.isWaiting(name)) {
      try {
        const result = await work.compact(updates, pieceBytes)
        this.#unbuildable.succeeded(name)
        return result
      } catch (error) {
        if (this.#stopped || error instanceof MalformedUpdate) throw error
        const bytes = updates.reduce((sum, update) => sum + update.length, 0)
        const event = 'Failed to build a document in order to compact it; merging its updates instead'
        this.#note(this.#unbuildable, name, bytes, error, event)
      }
    }
    return await work.merge(updates, pieceBytes)
  }
}

function isWorthIt ({ snapshotBytes, logBytes, logEntries }: Sizes, isLeaving: boolean): boolean {
  if (logBytes > Math.max(minLogBytes, snapshotBytes * logFraction)) return true
  if (isLeaving) return logEntries > Math.max(maxLogEntriesAtRest, snapshotBytes / bytesForEachEntryAtRest)
  return logEntries > Math.max(maxLogEntries, snapshotBytes / bytesForEachEntry)
}
