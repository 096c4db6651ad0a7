import type { NodeId } from '../bus/bus.ts'
import type { Link } from './link.ts'
import { decodeAnswer, type AnswerTo, type Question } from './question.ts'

/** What the other nodes answered. */
export interface Answers<Answer> {
  readonly answers: readonly Answer[]
  /** Names of the nodes that did not answer in time */
  readonly silent: readonly string[]
}

interface Waiting {
  readonly type: Question['type']
  readonly links: Set<Link>
  readonly bodies: string[]
  done (): void
}

/** A question that must reach every node, even one that is unreachable at the moment or not known yet. */
interface Lasting {
  readonly question: Question
  readonly askedAt: number
  readonly answeredBy: Set<NodeId>
}

/** A question that a node must be asked and has not answered. */
export interface MissedQuestion {
  readonly id: number
  readonly question: Question
  /** ms since it was asked */
  readonly ageMs: number
}

/**
 * ms for which a node that was unreachable is still asked; later, all its connections have been rechecked, and all its
 * rooms read from the store, anyway.
 */
const rememberMs = 60 * 60 * 1000
/** Questions remembered, at about 200 bytes each. */
const maxLasting = 10_000

/** Whether every node must act on a question: the answer to any other is of use only to the one who waits for it. */
const isLasting = ({ type }: Question): boolean => type === 'reset' || type === 'delete'

/** Questions to all other nodes, and those that some nodes have yet to be asked. */
export class Questions {
  readonly #now: () => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #lasting = new Map<number, Lasting>()
  #lastId = 0

  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * Asks the nodes and waits until all have answered, or `timeoutMs` have passed. A reset or a deletion is repeated to
   * every other node as soon as it can be reached.
   */
  async ask<Asked extends Question> (
    question: Asked,
    links: Iterable<Link>,
    timeoutMs: number,
    send: (link: Link, id: number) => void
  ): Promise<Answers<AnswerTo<Asked>>> {
    const id = ++this.#lastId
    const asked = new Set(links)
    if (isLasting(question)) this.#remember(id, question)
    if (asked.size === 0) return { answers: [], silent: [] }
    const waiting = await new Promise<Waiting>((resolve) => {
      const timer = setTimeout(() => { resolve(waiting) }, timeoutMs)
      const done = (): void => {
        clearTimeout(timer)
        resolve(waiting)
      }
      const waiting: Waiting = { type: question.type, links: asked, bodies: [], done }
      this.#waiting.set(id, waiting)
      for (const link of asked) send(link, id)
    })
    this.#waiting.delete(id)
    const type: Asked['type'] = question.type
    return {
      answers: waiting.bodies.map((body) => decodeAnswer(type, body)),
      silent: [...waiting.links].map(({ name }) => name),
    }
  }

  /** A node has answered. @throws MalformedQuestion if the answer is not one to its question */
  answered (link: Link, id: number, body: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) decodeAnswer(waiting.type, body)
    this.#lasting.get(id)?.answeredBy.add(link.node)
    if (waiting?.links.delete(link) !== true) return
    waiting.bodies.push(body)
    if (waiting.links.size === 0) waiting.done()
  }

  /** A node has stopped: it has no connections that a question could be about. */
  left (link: Link): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.links.delete(link) && waiting.links.size === 0) waiting.done()
    }
  }

  /** The questions that a node has not answered and must be asked. */
  * missedBy (node: NodeId): Generator<MissedQuestion> {
    const now = this.#now()
    for (const [id, { question, askedAt, answeredBy }] of this.#lasting) {
      const ageMs = Math.floor(now - askedAt)
      if (ageMs <= rememberMs && !answeredBy.has(node)) yield { id, question, ageMs }
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
