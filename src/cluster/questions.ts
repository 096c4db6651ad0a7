import type { NodeId } from '../bus/bus.ts'
import type { Link } from './link.ts'

/** What nodes ask each other; each answers with JSON. */
export type Question =
  /** Close the connections of a room, or of one user in it, and forget what is known of their rights */
  | { readonly type: 'reset', readonly room: string, readonly userId: string | undefined }
  /** How many connections of a room may edit */
  | { readonly type: 'count', readonly room: string, readonly sessionKey: string }
  /** Something was stored without a room: read it */
  | { readonly type: 'changed', readonly room: string }

/** What the other nodes said. */
export interface Answers {
  readonly answers: readonly unknown[]
  /** Who did not answer in time, by name */
  readonly silent: readonly string[]
}

interface Waiting {
  readonly question: Question
  readonly links: Set<Link>
  readonly answers: unknown[]
  done (): void
}

/** A question that must reach a node even if it comes back late. */
interface Lasting {
  readonly question: Question
  readonly askedAt: number
  readonly missing: Set<NodeId>
}

/** Late nodes are told for this long; then whoever comes back has had every connection asked again anyway. */
const rememberMs = 60 * 60 * 1000
const maxLasting = 10_000

/** Questions to all other nodes, and those that some of them have yet to hear. */
export class Questions {
  readonly #now: () => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #lasting = new Map<number, Lasting>()
  #lastId = 0

  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * Asks the nodes and waits for all of them, or until `timeoutMs` have passed.
   * @param absent nodes that cannot be reached now, and must hear it when they come back
   */
  async ask (question: Question, links: Iterable<Link>, absent: Iterable<NodeId>, timeoutMs: number, send: (link: Link, id: number) => void): Promise<Answers> {
    const id = ++this.#lastId
    const asked = new Set(links)
    if (question.type === 'reset') this.#remember(id, question, [...absent, ...[...asked].map(({ node }) => node)])
    if (asked.size === 0) return { answers: [], silent: [] }
    const waiting = await new Promise<Waiting>((resolve) => {
      const timer = setTimeout(() => { resolve(waiting) }, timeoutMs)
      const done = (): void => {
        clearTimeout(timer)
        resolve(waiting)
      }
      const waiting: Waiting = { question, links: asked, answers: [], done }
      this.#waiting.set(id, waiting)
      for (const link of asked) send(link, id)
    })
    this.#waiting.delete(id)
    return { answers: waiting.answers, silent: [...waiting.links].map(({ name }) => name) }
  }

  answered (link: Link, id: number, answer: unknown): void {
    const lasting = this.#lasting.get(id)
    if (lasting?.missing.delete(link.node) === true && lasting.missing.size === 0) this.#lasting.delete(id)
    const waiting = this.#waiting.get(id)
    if (waiting?.links.delete(link) !== true) return
    waiting.answers.push(answer)
    if (waiting.links.size === 0) waiting.done()
  }

  /** A node has said goodbye: it has nothing left that could be asked about. */
  left (link: Link): void {
    for (const [id, lasting] of this.#lasting) {
      lasting.missing.delete(link.node)
      if (lasting.missing.size === 0) this.#lasting.delete(id)
    }
    for (const waiting of this.#waiting.values()) {
      if (waiting.links.delete(link) && waiting.links.size === 0) waiting.done()
    }
  }

  /** What a node has not answered though it must hear it. */
  * missedBy (node: NodeId): Generator<{ id: number, question: Question }> {
    for (const [id, { question, missing }] of this.#lasting) if (missing.has(node)) yield { id, question }
  }

  #remember (id: number, question: Question, missing: readonly NodeId[]): void {
    const oldest = this.#now() - rememberMs
    for (const [known, { askedAt }] of this.#lasting) {
      if (askedAt >= oldest && this.#lasting.size < maxLasting) break
      this.#lasting.delete(known)
    }
    if (missing.length > 0) this.#lasting.set(id, { question, askedAt: this.#now(), missing: new Set(missing) })
  }
}
