import { KeyedClocks } from '../../update/keyed-clocks.ts'
import type { ScannedUpdate } from '../../update/scan-update.ts'
import { within } from '../../wait/within.ts'
import { heavyUpdateBytes, manyParts } from '../limits.ts'

/** ms for which it is kept after its last use: it takes some KB for each MB of blocks, and a read of the document. */
const keptMs = 60_000
/**
 * ms for which an update waits while the document is being read: a store that hangs must not stop people from typing.
 */
const patienceMs = 3000
/** ms after which a failed read is retried. */
const retryAfterMs = 10_000
/** Reads in a row, if updates that are too large to be read here arrive meanwhile. */
const maxLoads = 5

/**
 * Where in a room's document new structs would lie. Loaded when an update first depends on it, and kept up to date from
 * then on, so that people who paste or dictate wait for the store once, not at every word.
 */
export class Placement {
  readonly #load: () => Promise<Float64Array | undefined>
  readonly #now: () => number
  #keyed: KeyedClocks | undefined
  #loading: Promise<void> | undefined
  /** Updates that were taken while it was being loaded */
  #since: ScannedUpdate[] = []
  #mustReload = false
  #usedAt = -Infinity
  /** Engine time in ms when the current read began, and until when no read is tried */
  #loadingSince = 0
  #unreadableUntil = -Infinity

  /** @param load returns `KeyedClocks.pack` of the whole document; undefined if it cannot be read now */
  constructor (load: () => Promise<Float64Array | undefined>, now: () => number) {
    this.#load = load
    this.#now = now
  }

  /** Adds an update that the room has taken. */
  add (update: ScannedUpdate): void {
    if (this.#keyed === undefined && this.#loading === undefined) return
    if (update.bytes.length > heavyUpdateBytes || update.parts > manyParts) {
      this.#keyed = undefined
      this.#mustReload = true
    } else if (this.#keyed !== undefined) this.#keyed.add(update)
    else this.#since.push(update)
  }

  /**
   * Whether an update can be added to the document (`KeyedClocks.allows`). True if the document cannot be read soon: an
   * update that Yjs cannot apply is set aside by the compaction, and people must not wait for the store.
   */
  async allows (update: ScannedUpdate): Promise<boolean> {
    this.#usedAt = this.#now()
    for (let loads = 0; this.#keyed === undefined && loads < maxLoads; loads++) {
      if (!await this.#readInTime()) return true
    }
    return this.#keyed?.allows(update) ?? true
  }

  /** Frees the memory if it was not used for a while. */
  sweep (now: number): void {
    if (now - this.#usedAt > keptMs) this.#keyed = undefined
  }

  /** Reads the document, or waits for the current read. @returns false if that fails or takes too long */
  async #readInTime (): Promise<boolean> {
    const now = this.#now()
    if (now < this.#unreadableUntil) return false
    if (this.#loading === undefined) {
      this.#loadingSince = now
      this.#loading = this.#start().finally(() => { this.#loading = undefined })
    }
    const patience = this.#loadingSince + patienceMs - now
    return patience > 0 && await within(this.#loading.then(() => true), patience, () => false)
  }

  async #start (): Promise<void> {
    this.#since = []
    this.#mustReload = false
    const packed = await this.#load()
    const since = this.#since.splice(0)
    if (packed === undefined) this.#unreadableUntil = this.#now() + retryAfterMs
    if (packed === undefined || this.#mustReload) return
    const keyed = KeyedClocks.unpack(packed)
    for (const update of since) keyed.add(update)
    this.#keyed = keyed
  }
}
