import type { StoredDocument } from '../../store/store.ts'
import type { RecentUpdates } from '../save/recent-updates.ts'

/** What the store has of a document, and what it may lack. */
export interface Loaded {
  /** undefined: nothing is stored yet */
  readonly document: StoredDocument | undefined
  /** Index of the room's first recent update that `document` may lack */
  readonly from: number
}

/**
 * One read of a document for all clients that join it at about the same time: the log can have megabytes, and a class
 * of 150 would otherwise hold it 150 times.
 */
export class SharedLoad {
  readonly #recent: RecentUpdates
  readonly #load: () => Promise<StoredDocument | undefined>
  #loading: Promise<Loaded> | undefined
  #from = 0

  constructor (recent: RecentUpdates, load: () => Promise<StoredDocument | undefined>) {
    this.#recent = recent
    this.#load = load
  }

  /** The last read, if memory still has everything that has arrived since, or a new one. */
  get (): Promise<Loaded> {
    if (this.#loading !== undefined && this.#recent.since(this.#from) !== undefined) return this.#loading
    const from = this.#from = this.#recent.firstNotStoredIndex
    const loading = this.#load().then((document) => ({ document, from }))
    this.#loading = loading
    loading.catch(() => { this.forget(loading) })
    return loading
  }

  /** Drops the read if it is the current one; without an argument, any. The next `get` reads again. */
  forget (loading = this.#loading): void {
    if (this.#loading === loading) this.#loading = undefined
  }
}
