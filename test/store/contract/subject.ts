import type { Test } from 'tap'
import type { Store } from '../../../src/store/store.ts'

/**
 * The part of a document to damage: a log entry, a piece of the snapshot, its known state, an update set aside, the
 * tombstone of its name.
 */
export type Damageable = 'entry' | 'piece' | 'known' | 'aside' | 'tombstone'

/** A store under test. */
export interface Subject {
  readonly store: Store
  /** Opens a second view of the same data, as another node or a restarted process has it. */
  readonly reopen: () => Promise<Store>
  /** Overwrites one stored byte. */
  readonly damage: (document: string, what: Damageable) => Promise<void>
}

/** Opens a new, empty store and closes it with the test. */
export type OpenSubject = (t: Test) => Promise<Subject>
