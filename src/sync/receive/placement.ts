import { KeyedClocks } from '../../update/keyed-clocks.ts'
import type { ScannedUpdate } from '../../update/scan-update.ts'
import { heavyUpdateBytes, manyParts } from '../limits.ts'

/** Kept for this long in ms after it was last needed: it takes some KB for each MB of blocks, and a reading of the document to load. */
const keptMs = 60_000
/** An update waits for this long in ms while the document is being read; a store that hangs must not stop people from typing. */
const patienceMs = 3000
/** ms after which a document that could not be read is tried again. */
const retryAfterMs = 10_000
/** How often loading starts again where an update came meanwhile that is too large to be read here. */
const maxLoads = 5

/**
 * Where in a room's document new structs come to lie. Loaded when an update first depends on it, and kept up to date from
 * then on, so that people who paste or dictate wait for the store once, not at every word.
 */
export class Placement {
  readonly #load: () => Promise<Float64Array | undefined>
  readonly #now: () => number
  #keyed: KeyedClocks | undefined
  #loading: Promise<void> | undefined
  /** Taken in while it was being loaded */
  #since: ScannedUpdate[] = []
  #mustReload = false
  #usedAt = -Infinity
  /** Engine time in ms when the reading under way began, and until when none is tried */
  #loadingSince = 0
  #unreadableUntil = -Infinity

  /**
   * @param load `KeyedClocks.pack` of all that is known of the document; undefined where it cannot be read now
   */
  constructor (load: () => Promise<Float64Array | undefined>, now: () => number) {
    this.#load = load
    this.#now = now
  }

  /** Takes note of an update that the room knows from now on. */
  add (update: ScannedUpdate): void {
    if (this.#keyed === undefined && this.#loading === undefined) return
    if (update.bytes.length > heavyUpdateBytes || update.parts > manyParts) {
      this.#keyed = undefined
      this.#mustReload = true
    } else if (this.#keyed !== undefined) this.#keyed.add(update)
    else this.#since.push(update)
  }

  /**
   * Whether an update may be added to the document (`KeyedClocks.allows`). Where the document cannot be read soon it may:
   * what Yjs cannot apply is set aside when it is compacted, and nobody should wait for the store to be back.
   */
  async allows (update: ScannedUpdate): Promise<boolean> {
    this.#usedAt = this.#now()
    for (let loads = 0; this.#keyed === undefined && loads < maxLoads; loads++) {
      if (!await this.#isReadSoon()) return true
    }
    return this.#keyed?.allows(update) ?? true
  }

  /** Frees the memory where nothing has needed it for a while. */
  sweep (now: number): void {
    if (now - this.#usedAt > keptMs) this.#keyed = undefined
  }

  /** @returns false where the document cannot be read, or takes too long */
  async #isReadSoon (): Promise<boolean> {
    const now = this.#now()
    if (now < this.#unreadableUntil) return false
    if (this.#loading === undefined) {
      this.#loadingSince = now
      this.#loading = this.#start().finally(() => { this.#loading = undefined })
    }
    const patience = this.#loadingSince + patienceMs - now
    return patience > 0 && await isDoneWithin(this.#loading, patience)
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

/** @throws what makes the promise fail in time; later failures are left to those who wait for it next */
async function isDoneWithin (promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => { timer = setTimeout(() => { resolve(false) }, ms) })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
