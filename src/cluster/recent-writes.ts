import { BoundedMap } from '../queue/bounded-map.ts'

/** An update that no room has sent. */
export interface RecentWrite {
  readonly name: string
  /** Its position in the document's log */
  readonly seq: number
}

/** Documents remembered, at about 100 bytes each; the other nodes find later writes when they read their open rooms. */
const maxDocuments = 1000

/**
 * The updates that this node has stored lately without a room. A link that starts again repeats them: the other node
 * may have missed some, and nothing else would tell it soon.
 */
export class RecentWrites {
  readonly #rememberMs: number
  readonly #writes = new BoundedMap<string, RecentWrite & { readonly at: number }>(maxDocuments)

  /** @param rememberMs ms after which the other nodes have read all their open rooms anyway */
  constructor (rememberMs: number) {
    this.#rememberMs = rememberMs
  }

  /** @param now engine time in ms */
  add (name: string, seq: number, now: number): void {
    this.#writes.set(name, { name, seq, at: now })
  }

  /** The last update of each document that is remembered at `now`. */
  * at (now: number): Generator<RecentWrite> {
    for (const { name, seq, at } of this.#writes.values()) if (now - at <= this.#rememberMs) yield { name, seq }
  }
}
