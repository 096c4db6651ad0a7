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

/** A question that must reach every node, also one that cannot be reached now, or is not known yet. */
interface Lasting {
  readonly question: Question
  readonly askedAt: number
  readonly answeredBy: Set<NodeId>
}

/** A question that a node has not answered though it must hear it, and how long ago it was asked. */
export interface Missed {
  readonly id: number
  readonly question: Question
  readonly ageMs: number
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
   * Asks the nodes and waits for all of them, or until `timeoutMs` have passed. A reset is told to all others too, as soon
   * as they can be reached.
   */
  async ask (question: Question, links: Iterable<Link>, timeoutMs: number, send: (link: Link, id: number) => void): Promise<Answers> {
    const id = ++this.#lastId
    const asked = new Set(links)
    if (question.type === 'reset') this.#remember(id, question)
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
    this.#lasting.get(id)?.answeredBy.add(link.node)
    const waiting = this.#waiting.get(id)
    if (waiting?.links.delete(link) !== true) return
    waiting.answers.push(answer)
    if (waiting.links.size === 0) waiting.done()
  }

  /** A node has said goodbye: it has nothing left that could be asked about. */
  left (link: Link): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.links.delete(link) && waiting.links.size === 0) waiting.done()
    }
  }

  * missedBy (node: NodeId): Generator<Missed> {
    const now = this.#now()
    for (const [id, { question, askedAt, answeredBy }] of this.#lasting) {
      if (now - askedAt <= rememberMs && !answeredBy.has(node)) yield { id, question, ageMs: Math.floor(now - askedAt) }
    }
  }

  #remember (id: number, question: Question): void {
    const oldest = this.#now() - rememberMs
    for (const [known, { askedAt }] of this.#lasting) {
      if (askedAt >= oldest && this.#lasting.size < maxLasting) break
      this.#lasting.delete(known)
    }
    this.#lasting.set(id, { question, askedAt: this.#now(), answeredBy: new Set() })
  }
}
