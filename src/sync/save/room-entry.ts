import type { LogEntry } from '../../store/store.ts'
import type { Lifetime } from './lifetime.ts'
import type { RecentUpdate } from './recent-update.ts'

/** An update of a room on its way to the store. */
export class RoomEntry implements LogEntry {
  readonly document: string
  readonly update: Uint8Array
  readonly authors: readonly string[]
  readonly #lifetime: Lifetime

  constructor (document: string, { update, authors }: RecentUpdate, lifetime: Lifetime) {
    this.document = document
    this.update = update
    this.authors = authors
    this.#lifetime = lifetime
  }

  /** Read when it is stored: until then, an earlier update can have created the document. */
  get after (): number { return this.#lifetime.after }
}
