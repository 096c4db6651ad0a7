import * as Y from 'yjs'

/** Everything that the service has acknowledged, per document: all of it must exist after any crash. */
export class Ledger {
  /** How many updates have been acknowledged. */
  count = 0
  #goal: { readonly count: number, readonly reached: () => void } | undefined
  readonly #documents = new Map<string, { updates: Uint8Array[], count: number }>()

  get documents (): Iterable<string> { return this.#documents.keys() }

  /** Resolves when so many updates have been acknowledged. Only one caller can wait at a time. */
  reach (count: number): Promise<void> {
    return new Promise((resolve) => { this.#goal = { count, reached: resolve } })
  }

  add (document: string, update: Uint8Array): void {
    const here = this.#documents.get(document)
    if (here === undefined) this.#documents.set(document, { updates: [update], count: 1 })
    else {
      here.updates.push(update)
      here.count++
    }
    this.count++
    if (this.#goal?.count === this.count) this.#goal.reached()
  }

  /** @returns a description of the acknowledged work that the document lacks; undefined if it is complete */
  fault (document: string, doc: Y.Doc): string | undefined {
    if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) return 'something is there whose predecessor is not'
    const here = this.#documents.get(document)
    if (here === undefined) return undefined
    const snapshot = Y.snapshot(doc)
    const all = Y.mergeUpdates(here.updates)
    if (Y.snapshotContainsUpdate(snapshot, all)) {
      here.updates = [all]
      return undefined
    }
    const lost = here.updates.filter((update) => !Y.snapshotContainsUpdate(snapshot, update)).length
    return `${lost} of ${here.count} acknowledged updates are lost`
  }
}
