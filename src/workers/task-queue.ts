/** The part of a task that the queue uses. */
export interface QueuedTask {
  /** Tasks of different keys take turns; undefined: a key of its own. */
  readonly key: string | undefined
  readonly bytes: number
}

/**
 * ms by which a MiB delays a task: at least ten times what a thread needs for a MiB, so that a small task overtakes
 * large ones until they have waited far longer than their own work takes.
 */
const delayMsPerMiB = 1000

/**
 * Tasks in the order in which they are due: now, or when the last waiting task of the same key is due, plus a delay for
 * the size. Small tasks therefore overtake large ones, many tasks of one key delay only each other, and no task waits
 * forever, since later tasks are due later. Tasks without key and bytes are first come, first served.
 * @see "VirtualClock", Lixia Zhang, 1990: the same rule for packets
 */
export class TaskQueue<Task extends QueuedTask> {
  readonly #tasks: Task[] = []
  /** ms, on the clock of the caller; kept for tasks that were taken, since they can return. */
  readonly #dueMs = new WeakMap<Task, number>()
  #bytes = 0

  /** The number of tasks that wait. */
  get length (): number { return this.#tasks.length }
  /** The bytes of all tasks that wait. */
  get bytes (): number { return this.#bytes }

  /**
   * Adds a task. A task that was here before gets its old place again.
   * @param nowMs on any clock that does not go back
   */
  add (task: Task, nowMs: number): void {
    const { key } = task
    const previous = key === undefined ? undefined : this.#tasks.findLast((other) => other.key === key)
    const earliest = Math.max(nowMs, this.#dueOf(previous))
    const due = this.#dueMs.get(task) ?? earliest + task.bytes / 2 ** 20 * delayMsPerMiB
    this.#dueMs.set(task, due)
    const before = this.#tasks.findLastIndex((other) => this.#dueOf(other) <= due)
    this.#tasks.splice(before + 1, 0, task)
    this.#bytes += task.bytes
  }

  /** Takes the task that is due first. */
  takeFirst (): Task | undefined {
    return this.#taken(this.#tasks.shift())
  }

  /** Takes the task that is due last. */
  takeLast (): Task | undefined {
    return this.#taken(this.#tasks.pop())
  }

  /** Takes a task out. @returns whether it was waiting */
  remove (task: Task): boolean {
    const index = this.#tasks.indexOf(task)
    if (index === -1) return false
    this.#taken(this.#tasks.splice(index, 1)[0])
    return true
  }

  #dueOf (task: Task | undefined): number {
    return task === undefined ? 0 : this.#dueMs.get(task) ?? 0
  }

  #taken (task: Task | undefined): Task | undefined {
    this.#bytes -= task?.bytes ?? 0
    return task
  }
}
