/** Something to be done that concerns certain documents. */
interface Job {
  readonly documents: ReadonlySet<string>
  readonly bytes: number
}

/**
 * Lets jobs run side by side, except that jobs about the same document run one after the other, in the order they came.
 * What has to wait is taken together afterwards.
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

  /** @param run does a group of jobs; must settle them and never reject */
  constructor (run: (group: readonly Waiting[]) => Promise<void>, { maxRunning, maxBytes }: { maxRunning: number, maxBytes: number }) {
    this.#run = run
    this.#maxRunning = maxRunning
    this.#maxBytes = maxBytes
  }

  add (job: Waiting): void {
    this.#waiting.push(job)
    this.#schedule()
  }

  async idle (): Promise<void> {
    if (this.#running > 0 || this.#waiting.length > 0) await new Promise<void>((resolve) => { this.#whenIdle.push(resolve) })
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

  /** All jobs that may run now. One that may not holds back those behind it that share a document with it. */
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
