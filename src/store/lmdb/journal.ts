import { commitOf, journalKey, journalRange } from './layout.ts'
import { decodeRecord, type JournalEntry } from './journal-record.ts'
import type { LmdbTree } from './tree.ts'

/** The updates of a document that only the journal has, perhaps with some that were folded since. */
export type ReadJournal = (document: string) => readonly JournalEntry[]

const none: readonly JournalEntry[] = []

/** Reads nothing: for what the journal does not change. */
export const noJournal: ReadJournal = () => none

/** What the journal of a store holds at some moment. */
export interface JournalContent {
  /** By document, in their order. */
  readonly entries: ReadonlyMap<string, readonly JournalEntry[]>
  /** The commits that it has records of, in their order. */
  readonly commits: readonly number[]
}

/** Reads the whole journal, which is short. @throws DamagedJournal */
export function readJournal (tree: LmdbTree): JournalContent {
  const entries = new Map<string, JournalEntry[]>()
  const commits: number[] = []
  const last = new Map<number, JournalEntry>()
  for (const { key, value } of tree.getRange(journalRange())) {
    commits.push(commitOf(key))
    for (const entry of decodeRecord(key, value, last)) {
      const before = entries.get(entry.document)
      if (before) before.push(entry)
      else entries.set(entry.document, [entry])
    }
  }
  return { entries, commits }
}

/** The journal as another process writes it, for a process that only reads the store. */
export class WatchedJournal {
  readonly #tree: LmdbTree
  #content: JournalContent = { entries: new Map(), commits: [] }

  constructor (tree: LmdbTree) {
    this.#tree = tree
  }

  /** @throws DamagedJournal */
  readonly read: ReadJournal = (document) => {
    if (!this.#isCurrent()) this.#content = readJournal(this.#tree)
    return this.#content.entries.get(document) ?? none
  }

  /** Records are added after the last one and removed from the first one on. */
  #isCurrent (): boolean {
    const { commits } = this.#content
    const first = commits[0]
    const last = commits.at(-1)
    const [firstNow] = this.#tree.getKeys({ ...journalRange(), limit: 1 })
    if (first === undefined || last === undefined) return firstNow === undefined
    if (firstNow === undefined || commitOf(firstNow) !== first) return false
    const [after] = this.#tree.getKeys({ start: journalKey(last + 1), end: journalRange().end, limit: 1 })
    return after === undefined
  }
}
