/** Why a task was not started. */
export type NotStarted = 'full' | 'late'

export class QueueOverload extends Error {
  readonly why: NotStarted

  constructor (why: NotStarted) {
    super(why === 'full' ? 'Too many tasks are waiting.' : 'The task waited too long.')
    this.why = why
  }
}

export interface CallQueueOptions {
  readonly maxRunning: number
  /** Tasks beyond `maxRunning` that may wait; the next is turned away at once. */
  readonly maxWaiting: number
  /** The same for the tasks of one asker; default: `maxWaiting`. */
  readonly maxWaitingEach?: number
  /** Ms after which a waiting task is turned away when its turn comes: by then its client has given up. */
  readonly maxWaitMs: number
  readonly now: () => number
}

interface Waiting {
  readonly since: number
  readonly start: () => void
  readonly refuse: (error: QueueOverload) => void
}

/**
 * Runs at most `maxRunning` tasks at a time, with a bounded number waiting. Askers take turns, one task each, so that
 * no asker waits for all the tasks of another; the tasks of one asker run in their order.
 */
export class CallQueue {
  readonly #options: CallQueueOptions
  #running = 0
  /** Waiting tasks by asker; the asker whose turn is next comes first */
  readonly #askers = new Map<string, Waiting[]>()
  #waiting = 0

  constructor (options: CallQueueOptions) {
    this.#options = options
  }

  /**
   * Runs the task when its turn comes and settles as it does.
   * @param asker default: all tasks belong to one asker
   * @throws QueueOverload if the task was never started
   */
  async run<T> (task: () => Promise<T>, asker = ''): Promise<T> {
    if (this.#running >= this.#options.maxRunning) await this.#turn(asker)
    else this.#running++
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  #turn (asker: string): Promise<void> {
    const { maxWaiting, maxWaitingEach = maxWaiting, now } = this.#options
    const tasks = this.#askers.get(asker) ?? []
    if (this.#waiting >= maxWaiting || tasks.length >= maxWaitingEach) throw new QueueOverload('full')
    this.#waiting++
    this.#askers.set(asker, tasks)
    return new Promise((resolve, reject) => {
      tasks.push({ since: now(), start: resolve, refuse: reject })
    })
  }

  /** Hands the place of a finished task to the next that still waits. */
  #next (): void {
    const oldest = this.#options.now() - this.#options.maxWaitMs
    for (const [asker, tasks] of this.#askers) {
      const next = this.#take(asker, tasks, oldest)
      if (next === undefined) continue
      next.start()
      return
    }
    this.#running--
  }

  /** The asker's first task that is not too late; the asker's next turn comes after everybody else's. */
  #take (asker: string, tasks: Waiting[], oldest: number): Waiting | undefined {
    this.#askers.delete(asker)
    for (;;) {
      const task = tasks.shift()
      if (task === undefined) return undefined
      this.#waiting--
      if (task.since >= oldest) {
        if (tasks.length > 0) this.#askers.set(asker, tasks)
        return task
      }
      task.refuse(new QueueOverload('late'))
    }
  }
}
