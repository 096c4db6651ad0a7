import * as Y from 'yjs'

/** The parts of a shared type that hold its content. */
export type SharedType = Pick<Y.AbstractType<unknown>, '_start' | '_map'>

/** A shared type that is filled once it has a place in a document. */
interface Job { readonly source: SharedType, readonly target: Y.AbstractType<unknown> }

/** What a clone leaves out; everything is kept by default. */
export interface CloneFilter {
  readonly keepsFormat?: (key: string) => boolean
  readonly keepsEntry?: (value: unknown) => boolean
}

/**
 * Copies the visible content of shared types, of any kind, item by item: texts, formats, values, attributes and the
 * types in them.
 */
export class TypeCloner {
  readonly #filter: CloneFilter
  readonly #jobs: Job[] = []

  constructor (filter: CloneFilter = {}) {
    this.#filter = filter
  }

  /** A value to put into another document: for a shared type a new one, which `fill` fills once it is there. */
  prepare (value: unknown): unknown {
    if (!(value instanceof Y.AbstractType)) return value
    const target = value._copy() as Y.AbstractType<unknown>
    this.#jobs.push({ source: value, target })
    return target
  }

  /** Fills the types that are in a document now. */
  fill (transaction: Y.Transaction): void {
    for (let job = this.#jobs.pop(); job !== undefined; job = this.#jobs.pop()) {
      this.#copy(transaction, job.source, job.target)
    }
  }

  /** Appends all content of one type to another, which is in a document. */
  append (transaction: Y.Transaction, source: SharedType, target: Y.AbstractType<unknown>): void {
    this.#copy(transaction, source, target)
    this.fill(transaction)
  }

  #copy (transaction: Y.Transaction, source: SharedType, target: Y.AbstractType<unknown>): void {
    let left = lastOf(target)
    for (let item = source._start; item !== null; item = item.right) {
      const { content, deleted } = item
      if (deleted || !this.#keeps(content)) continue
      left = this.#add(transaction, target, left, null, content)
    }
    for (const [key, item] of source._map) {
      const value: unknown = item.content.getContent()[item.length - 1]
      if (item.deleted || this.#filter.keepsEntry?.(value) === false) continue
      // A key has one value: the last one of its item.
      const content = item.length === 1 ? item.content : new Y.ContentAny([value])
      this.#add(transaction, target, target._map.get(key) ?? null, key, content)
    }
  }

  #keeps (content: Y.Item['content']): boolean {
    return !(content instanceof Y.ContentFormat) || this.#filter.keepsFormat?.(content.key) !== false
  }

  #add (
    transaction: Y.Transaction,
    parent: Y.AbstractType<unknown>,
    left: Y.Item | null,
    key: string | null,
    content: Y.Item['content']
  ): Y.Item {
    const { doc } = transaction
    const copy = content instanceof Y.ContentType ? this.#typeContent(content) : content.copy()
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    const item = new Y.Item(id, left, left?.lastId ?? null, null, null, parent, key, copy)
    item.integrate(transaction, 0)
    return item
  }

  #typeContent ({ type }: Y.ContentType): Y.ContentType {
    return new Y.ContentType(this.prepare(type) as typeof type)
  }
}

function lastOf (type: SharedType): Y.Item | null {
  let last = type._start
  while (last !== null && last.right !== null) last = last.right
  return last
}
