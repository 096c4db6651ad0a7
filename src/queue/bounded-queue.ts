/** The reason why a task was never started: the queue was full, or the task waited too long. */
export type OverloadReason = 'full' | 'late'

/** A queue rejected a task without starting it. */
export class QueueOverload extends Error {
  readonly reason: OverloadReason

  constructor (reason: OverloadReason) {
    super(reason === 'full' ? 'Too many tasks are waiting.' : 'The task waited too long.')
    this.reason = reason
  }
}

/** The bounds of a queue. */
export interface BoundedQueueOptions {
  readonly maxRunning: number
  /** Tasks that can wait beyond `maxRunning`; the queue rejects further ones at once. */
  readonly maxWaiting: number
  /** Tasks that can wait under one key; default: `maxWaiting`. */
  readonly maxWaitingPerKey?: number
  /** Ms; a task that has waited longer is rejected when its turn comes, because its client has given up by then. */
  readonly maxWaitMs: number
  /** Ms, monotonic. */
  readonly now: () => number
}

interface Waiting {
  readonly since: number
  readonly start: () => void
  readonly reject: (error: QueueOverload) => void
}

/**
 * Runs at most `maxRunning` tasks at a time while a bounded number waits. Keys take turns, one task each, so that the
 * tasks of one key never wait for all tasks of another; the tasks of one key run in order.
 */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions
  #running = 0
  /** Waiting tasks by key; the key whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #waitingCount = 0

  constructor (options: BoundedQueueOptions) {
    this.#options = options
  }

  /**
   * Runs the task when its turn comes, and settles as the task does.
   * @param key the party that takes turns with others; default: all tasks share one key
   * @throws QueueOverload if the task was never started
   */
  async run<T> (task: () => Promise<T>, key = ''): Promise<T> {
    if (this.#running >= this.#options.maxRunning) await this.#turn(key)
    else this.#running++
    try {
      return await task()
    } finally {
      this.#startNext()
    }
  }

  #turn (key: string): Promise<void> {
    const { maxWaiting, maxWaitingPerKey = maxWaiting, now } = this.#options
    const tasks = this.#waiting.get(key) ?? []
    if (this.#waitingCount >= maxWaiting || tasks.length >= maxWaitingPerKey) throw new QueueOverload('full')
    this.#waitingCount++
    this.#waiting.set(key, tasks)
    return new Promise((resolve, reject) => {
      tasks.push({ since: now(), start: resolve, reject })
    })
  }

  /** Gives the place of a finished task to the next one that waits. */
  #startNext (): void {
    const earliest = this.#options.now() - this.#options.maxWaitMs
    for (const [key, tasks] of this.#waiting) {
      const next = this.#take(key, tasks, earliest)
      if (next === undefined) continue
      next.start()
      return
    }
    this.#running--
  }

  /** Takes the key's first task that is not late, and puts the key behind all others. */
  #take (key: string, tasks: Waiting[], earliest: number): Waiting | undefined {
    this.#waiting.delete(key)
    for (;;) {
      const task = tasks.shift()
      if (task === undefined) return undefined
      this.#waitingCount--
      if (task.since >= earliest) {
        if (tasks.length > 0) this.#waiting.set(key, tasks)
        return task
      }
      task.reject(new QueueOverload('late'))
    }
  }
}
