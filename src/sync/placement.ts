import { KeyedClocks } from '../update/keyed-clocks.ts'
import type { ScannedUpdate } from '../update/scan-update.ts'
import { heavyUpdateBytes, manyParts } from './limits.ts'

/** Kept for this long in ms after it was last needed: it takes some KB for each MB of blocks, and a reading of the document to load. */
const keptMs = 60_000
/** How often loading starts again where an update came meanwhile that is too large to be read here. */
const maxLoads = 5

/**
 * Where in a room's document new structs come to lie. Loaded when an update first depends on it, and kept up to date from
 * then on, so that people who paste or dictate wait for the store once, not at every word.
 */
export class Placement {
  readonly #load: () => Promise<Float64Array | undefined>
  #keyed: KeyedClocks | undefined
  #loading: Promise<void> | undefined
  /** Taken in while it was being loaded */
  #since: ScannedUpdate[] = []
  #mustReload = false
  #usedAt = -Infinity

  /**
   * @param load `KeyedClocks.pack` of all that is known of the document; undefined where it cannot be read now
   */
  constructor (load: () => Promise<Float64Array | undefined>) {
    this.#load = load
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
   * Whether an update may be added to the document (`KeyedClocks.allows`). Where the document cannot be read it may: what
   * Yjs cannot apply is set aside when it is compacted, and nobody should wait for the store to be back.
   * @param now engine time in ms
   */
  async allows (update: ScannedUpdate, now: number): Promise<boolean> {
    this.#usedAt = now
    for (let loads = 0; this.#keyed === undefined && loads < maxLoads; loads++) {
      this.#loading ??= this.#start().finally(() => { this.#loading = undefined })
      await this.#loading
      if (!this.#mustReload && this.#keyed === undefined) return true
    }
    return this.#keyed?.allows(update) ?? true
  }

  /** Frees the memory where nothing has needed it for a while. */
  sweep (now: number): void {
    if (now - this.#usedAt > keptMs) this.#keyed = undefined
  }

  async #start (): Promise<void> {
    this.#since = []
    this.#mustReload = false
    const packed = await this.#load()
    const since = this.#since.splice(0)
    if (packed === undefined || this.#mustReload) return
    const keyed = KeyedClocks.unpack(packed)
    for (const update of since) keyed.add(update)
    this.#keyed = keyed
  }
}
