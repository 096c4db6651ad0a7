import { DamagedDocument, type Store, type StoredDocument } from '../store/store.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'

/** How a document is erased. */
export interface ErasureOptions {
  /** Whether to leave a tombstone. */
  readonly leavesTombstone: boolean
  /** The sequences at which it can be erased; default: at any */
  readonly ifMatch?: readonly number[] | undefined
  /** `uniteKnown` */
  unite (states: readonly Uint8Array[], updates: readonly Uint8Array[]): Promise<Uint8Array>
}

/** What became of a document that was to be erased. */
export type Erasure =
  /** `sequence`: its last one, 0 if it could not be read; `bytes`: of its snapshot and log */
  | { readonly outcome: 'erased', readonly sequence: number, readonly bytes: number }
  /** It has another sequence than expected. */
  | { readonly outcome: 'changed', readonly sequence: number }
  /** There is no such document; `deleted`: there was one, and its tombstone remains. */
  | { readonly outcome: 'absent' | 'deleted' }

/** Attempts while people type; the last one erases the document whatever was added since it was read. */
const maxAttempts = 10

/**
 * Erases a document from the store, so that its tombstone has everything that was stored. A document whose bytes are
 * damaged can be erased too: then the tombstone has what can be read.
 * @throws what the store throws, and what `unite` throws
 */
export async function eraseDocument (store: Store, name: string, options: ErasureOptions): Promise<Erasure> {
  const { leavesTombstone, ifMatch } = options
  let deleted = leavesTombstone ? await readTombstone(store, name) : undefined
  let since = 0
  for (let attempt = 1; ; attempt++) {
    const document = await load(store, name, since)
    if (document === undefined) return { outcome: await store.tombstone(name) === undefined ? 'absent' : 'deleted' }
    const sequence = document === 'damaged' ? 0 : document.lastSeq
    if (ifMatch?.includes(sequence) === false) return { outcome: 'changed', sequence }
    if (leavesTombstone) deleted = await unite(deleted, document, options)
    // While people type, updates are added between the two.
    const mustMatch = document !== 'damaged' && (attempt < maxAttempts || ifMatch !== undefined)
    if (await store.remove(name, deleted, mustMatch ? sequence : undefined)) {
      return { outcome: 'erased', sequence, bytes: document === 'damaged' ? 0 : bytesOf(document) }
    }
    since = sequence
  }
}

async function load (store: Store, name: string, since: number): Promise<StoredDocument | 'damaged' | undefined> {
  try {
    return await store.load(name, since)
  } catch (error) {
    if (error instanceof DamagedDocument) return 'damaged'
    throw error
  }
}

/** A damaged tombstone tells nothing; the new one replaces it. */
async function readTombstone (store: Store, name: string): Promise<Uint8Array | undefined> {
  try {
    return (await store.tombstone(name))?.deleted
  } catch (error) {
    if (error instanceof DamagedDocument) return undefined
    throw error
  }
}

async function unite (
  before: Uint8Array | undefined,
  document: StoredDocument | 'damaged',
  { unite }: ErasureOptions
): Promise<Uint8Array> {
  const states = before === undefined ? [] : [before]
  const { snapshot, log } = document === 'damaged' ? { snapshot: undefined, log: [] } : document
  const updates = log.map(({ update }) => update)
  try {
    return await unite(snapshot === undefined ? states : [...states, snapshot.known], updates)
  } catch (error) {
    // What a snapshot or a tombstone says does not decode.
    if (!(error instanceof MalformedUpdate)) throw error
    return await unite([], updates)
  }
}

const bytesOf = ({ snapshot, log }: StoredDocument): number =>
  log.reduce((sum, { update }) => sum + update.length, snapshot?.bytes ?? 0)
