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
  /** Ms after which a waiting task is turned away when its turn comes: by then, whoever asked has gone. */
  readonly maxWaitMs: number
  readonly now: () => number
}

interface Waiting {
  readonly since: number
  readonly start: () => void
  readonly refuse: (error: QueueOverload) => void
}

/** Runs at most `maxRunning` tasks at a time, first come first served, with a bounded number waiting. */
export class CallQueue {
  readonly #options: CallQueueOptions
  #running = 0
  #waiting: Waiting[] = []
  /** Index of the first that still waits: shifting a long array costs its length each time. */
  #head = 0

  constructor (options: CallQueueOptions) {
    this.#options = options
  }

  /** Runs the task when its turn comes and settles as it does. @throws QueueOverload where the task was never started */
  async run<T> (task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.maxRunning) await this.#turn()
    else this.#running++
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  #turn (): Promise<void> {
    if (this.#waiting.length - this.#head >= this.#options.maxWaiting) throw new QueueOverload('full')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ since: this.#options.now(), start: resolve, refuse: reject })
    })
  }

  /** Hands the place of a finished task to the next that still waits. */
  #next (): void {
    const oldest = this.#options.now() - this.#options.maxWaitMs
    for (;;) {
      const next = this.#waiting[this.#head++]
      if (next === undefined) break
      if (next.since >= oldest) {
        this.#compact()
        next.start()
        return
      }
      next.refuse(new QueueOverload('late'))
    }
    this.#waiting = []
    this.#head = 0
    this.#running--
  }

  /** Lets go of the part that has been served, at an amortised constant cost. */
  #compact (): void {
    if (this.#head < 256 || this.#head * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#head)
    this.#head = 0
  }
}
