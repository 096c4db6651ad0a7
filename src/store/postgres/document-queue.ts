/** A job that writes to certain documents. */
interface Job {
  readonly documents: ReadonlySet<string>
  readonly bytes: number
}

/**
 * Runs jobs concurrently, but jobs of the same document one after the other, in the order in which they were added.
 * Jobs that had to wait run together as one group.
 */
export class DocumentQueue<Waiting extends Job> {
  readonly #run: (group: readonly Waiting[]) => Promise<void>
  readonly #maxRunning: number
  readonly #maxBytes: number
  readonly #busy = new Set<string>()
  #waiting: Waiting[] = []
  #running = 0
  #scheduled = false
  #whenIdle: (() => void)[] = []

  /**
   * @param run runs a group of jobs; it must settle them and never reject
   * @param limits concurrent groups, and the bytes of one group
   */
  constructor (
    run: (group: readonly Waiting[]) => Promise<void>,
    { maxRunning, maxBytes }: { maxRunning: number, maxBytes: number }
  ) {
    this.#run = run
    this.#maxRunning = maxRunning
    this.#maxBytes = maxBytes
  }

  /** Runs a job when its turn comes. */
  add (job: Waiting): void {
    this.#waiting.push(job)
    this.#schedule()
  }

  /** Resolves once no job waits or runs. */
  async idle (): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return
    await new Promise<void>((resolve) => { this.#whenIdle.push(resolve) })
  }

  #schedule (): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#running >= this.#maxRunning) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#next()
    })
  }

  #next (): void {
    const group = this.#take()
    if (group.length === 0) return
    this.#running++
    const documents = group.flatMap((job) => [...job.documents])
    for (const document of documents) this.#busy.add(document)
    this.#run(group).finally(() => {
      this.#running--
      for (const document of documents) this.#busy.delete(document)
      this.#schedule()
      if (this.#running === 0 && this.#waiting.length === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }).catch(() => {})
    this.#schedule()
  }

  /** Takes all jobs that can run now. A job that cannot holds back later jobs that share a document with it. */
  #take (): Waiting[] {
    const group: Waiting[] = []
    const held = new Set(this.#busy)
    let bytes = 0
    this.#waiting = this.#waiting.filter((job) => {
      const fits = group.length === 0 || bytes + job.bytes <= this.#maxBytes
      if (fits && ![...job.documents].some((document) => held.has(document))) {
        group.push(job)
        bytes += job.bytes
        return false
      }
      for (const document of job.documents) held.add(document)
      return true
    })
    return group
  }
}
