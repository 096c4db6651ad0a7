import type { Logger } from '../../logging/logger.ts'
import { causeOf } from '../../logging/outage-log.ts'
import type { SnapshotHead, Store } from '../../store/store.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { Backoff } from './backoff.ts'
import type { CompactResult, DocumentWork } from '../document-work.ts'
import { pieceBytes } from '../limits.ts'
import type { Counters } from '../counters.ts'
import { logBytes, SnapshotReplaced, type StoredDocuments } from './stored-documents.ts'

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

/** A log line names the kinds of fault, not each of a thousand updates. */
const maxReasonsLogged = 5

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
  /** Names, and the bytes that each document had when it was queued */
  readonly #queue = new Map<string, number>()
  /** Left while they were being compacted: what came meanwhile would rest in the log until somebody opens them again */
  readonly #leftMeanwhile = new Set<string>()
  readonly #repairs = new Map<string, Promise<void>>()
  /** Documents that could not be rewritten at all */
  readonly #failing: Backoff
  /** Documents that could not be built in time or memory: they are merged meanwhile */
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

  /** Called whenever a log has grown or a room is left; cheap when there is nothing to do. */
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
   * Rewrites a document that cannot be read because of updates that Yjs cannot apply: they are set aside, the rest is kept.
   * All who ask meanwhile share one attempt.
   * @throws what made it fail; a document that has failed before is not tried again at once
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
      if (!this.#stopped && !(error instanceof SnapshotReplaced)) this.#note(this.#failing, name, 0, error, 'Failed to set aside updates that Yjs cannot apply')
      throw error
    }
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
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [name, bytes] = next
      try {
        await this.#compact(name)
        this.#failing.succeeded(name)
      } catch (error) {
        if (!this.#stopped && !(error instanceof SnapshotReplaced)) this.#note(this.#failing, name, bytes, error, 'Failed to compact a document; its log stays as it is')
      } finally {
        this.#queue.delete(name)
        if (this.#leftMeanwhile.delete(name) && !this.#stopped) this.#queue.set(name, bytes)
      }
    }
    this.#running = undefined
  }

  /** Documents that have failed before come after all others: a retry may take as long as its deadline. */
  #next (): [name: string, bytes: number] | undefined {
    let last: [string, number] | undefined
    for (const entry of this.#queue) {
      if (!this.#failing.has(entry[0]) && !this.#unbuildable.has(entry[0])) return entry
      last ??= entry
    }
    return last
  }

  #note (backoff: Backoff, name: string, bytes: number, error: unknown, event: string): void {
    this.#options.counters.count('compactionFailures')
    const retryInMs = backoff.failed(name)
    this.#options.logger.error({ ...causeOf(error), kind: error instanceof Error ? error.name : 'Error', room: name, bytes, retryInMs }, event)
  }

  /** @param isRepair also where it is small, and where nothing is in the log */
  async #compact (name: string, isRepair = false): Promise<void> {
    const { store, stored, counters, logger, onCompacted, now } = this.#options
    const startedAt = now()
    const document = await store.load(name)
    const upTo = document?.log.at(-1)?.seq ?? (isRepair ? document?.snapshot?.upTo : undefined)
    if (document === undefined || upTo === undefined) return
    // Another node, or the compaction before this one, may have done it.
    if (!isRepair && !isWorthIt({ snapshotBytes: document.snapshot?.bytes ?? 0, logBytes: logBytes(document), logEntries: document.log.length }, true)) return
    logger.debug({ room: name, entries: document.log.length, bytes: logBytes(document) }, 'Compacting')
    const { pieces, known, setAside } = await this.#rewrite(name, await stored.updates(name, document))
    const head = await store.compact(name, { replaces: document.snapshot?.generation ?? 0, upTo, pieces, known, setAside })
    if (head === undefined) return
    counters.count('compactions')
    if (setAside.length > 0) this.#reportSetAside(name, setAside)
    logger.debug({ room: name, before: (document.snapshot?.bytes ?? 0) + logBytes(document), after: head.bytes, ms: Math.round(now() - startedAt) }, 'Compacted')
    onCompacted(name, head, { bytes: logBytes(document), entries: document.log.length })
  }

  #reportSetAside (name: string, setAside: CompactResult['setAside']): void {
    this.#options.counters.count('updatesSetAside', setAside.length)
    const reasons = [...new Set(setAside.map(({ reason }) => reason))].slice(0, maxReasonsLogged)
    this.#options.logger.error({ room: name, updates: setAside.length, reasons }, 'Set aside updates that Yjs cannot apply; the rest of the document is kept (y-provider check)')
  }

  /** A document that cannot be built is merged: what was deleted stays in it, but its log does not grow without bound. */
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
        this.#note(this.#unbuildable, name, bytes, error, 'Failed to build a document in order to compact it; merging its updates instead')
      }
    }
    return await work.merge(updates, pieceBytes)
  }
}

function isWorthIt ({ snapshotBytes, logBytes, logEntries }: Sizes, isLeaving: boolean): boolean {
  if (isLeaving) return logEntries > Math.max(maxLogEntriesAtRest, snapshotBytes / bytesForEachEntryAtRest) || logBytes > Math.max(minLogBytes, snapshotBytes * logFraction)
  const entriesAllowed = Math.max(maxLogEntries, snapshotBytes / 512)
  return logBytes > Math.max(minLogBytes, snapshotBytes * logFraction) || logEntries > entriesAllowed
}
