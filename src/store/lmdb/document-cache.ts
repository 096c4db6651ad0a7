import { BoundedMap } from '../../queue/bounded-map.ts'
import type { ReadJournal } from './journal.ts'
import type { JournalEntry } from './journal-record.ts'
import type { OpenDocument } from './lookups.ts'

/** Documents remembered without need, at about 300 bytes each. */
const maxRemembered = 10_000

const none: readonly JournalEntry[] = []

/**
 * The documents that were written last, so that an append need not look them up; above all those with updates in the
 * journal, which no other place has in order. `null`: the document was removed.
 */
export class DocumentCache {
  readonly #journaled = new Map<string, OpenDocument>()
  readonly #others = new BoundedMap<string, OpenDocument | null>(maxRemembered)

  get (document: string): OpenDocument | null | undefined {
    return this.#journaled.get(document) ?? this.#others.get(document)
  }

  set (document: string, open: OpenDocument | null): void {
    if (open !== null && open.journal.length > 0) {
      this.#others.delete(document)
      this.#journaled.set(document, open)
    } else {
      this.#journaled.delete(document)
      this.#others.set(document, open)
    }
  }

  /** The updates of a document that only the journal has. */
  readonly readJournal: ReadJournal = (document) => this.#journaled.get(document)?.journal ?? none

  /** The names of the documents with updates in the journal. */
  get journaled (): readonly string[] { return [...this.#journaled.keys()] }
}
