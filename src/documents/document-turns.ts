import { BoundedQueue, QueueOverload } from '../queue/bounded-queue.ts'
import { DocumentFailure } from './document-failure.ts'

/** Documents that are written at a time, each in memory as it is stored and merged. */
const maxWrittenAtOnce = 4
/** Writes that can wait: of all documents, and of one. */
const maxWaiting = 1000
const maxWaitingPerDocument = 200
/** Bytes of content that can wait, which is 12 bodies of the largest size. */
const maxHeldBytes = 256 * 1024 * 1024
/** ms after which the client of a write has given up. */
const maxWaitMs = 30_000

interface Line {
  readonly queue: BoundedQueue
  /** Writes that wait or run. */
  writes: number
}

const now = (): number => performance.now()

/**
 * Gives writes of documents their turns: those of one document one after the other, so that each is made for the state
 * that the one before it has left, and a few documents at a time.
 */
export class DocumentTurns {
  readonly #lines = new Map<string, Line>()
  readonly #all = new BoundedQueue({ maxRunning: maxWrittenAtOnce, maxWaiting, maxWaitMs, now })
  #writes = 0
  #heldBytes = 0

  /**
   * Runs a write when its turn comes, and settles as it does.
   * @param bytes of content that it holds meanwhile
   * @throws DocumentFailure (`busy`) if it was never started
   */
  async run<Result> (document: string, bytes: number, write: () => Promise<Result>): Promise<Result> {
    const isFull = this.#heldBytes > 0 && this.#heldBytes + bytes > maxHeldBytes
    if (isFull || this.#writes >= maxWaiting) throw new DocumentFailure('busy', 'Too many writes wait')
    const line = this.#lineOf(document)
    line.writes++
    this.#writes++
    this.#heldBytes += bytes
    try {
      return await line.queue.run(() => this.#all.run(write, document))
    } catch (cause) {
      throw cause instanceof QueueOverload ? new DocumentFailure('busy', cause.message, { cause }) : cause
    } finally {
      this.#heldBytes -= bytes
      this.#writes--
      if (--line.writes === 0) this.#lines.delete(document)
    }
  }

  #lineOf (document: string): Line {
    const known = this.#lines.get(document)
    if (known !== undefined) return known
    const queue = new BoundedQueue({ maxRunning: 1, maxWaiting: maxWaitingPerDocument, maxWaitMs, now })
    const line = { queue, writes: 0 }
    this.#lines.set(document, line)
    return line
  }
}
