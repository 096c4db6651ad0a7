/** Something that gathers updates and sends them in ticks. */
export interface Ticking {
  tick (): void
}

/** ms ahead that a tick can be requested, at most. */
const maxSpacingMs = 50

/**
 * Lets rooms tick when they are due. A room that is due at once ticks as soon as the frames that have already arrived
 * are read (one turn of the event loop); the other rooms wait in buckets of one ms. One timer serves all of them.
 */
export class TickClock {
  readonly #now: () => number
  #ready: Ticking[] = []
  #immediate: NodeJS.Immediate | undefined
  /** Ring of buckets, one for each ms up to the largest spacing */
  readonly #buckets: Ticking[][] = Array.from({ length: maxSpacingMs + 2 }, () => [])
  #waiting = 0
  #bucketsDoneUpTo = 0
  #timer: NodeJS.Timeout | undefined
  /** The bucket that the timer is set for */
  #timerFor = 0

  /** @param now engine time in ms, with fractions */
  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * Calls `tick` once. It can be requested again only after that.
   * @param dueAt engine time in ms; in the past: at once
   */
  request (ticking: Ticking, dueAt: number): void {
    const now = this.#now()
    if (dueAt <= now) {
      this.#ready.push(ticking)
      this.#immediate ??= setImmediate(this.#runReady)
      return
    }
    if (this.#waiting === 0) this.#bucketsDoneUpTo = Math.floor(now)
    // Rounded down: the timer is late by about as much.
    const first = this.#bucketsDoneUpTo + 1
    const due = Math.min(Math.max(Math.floor(dueAt), first), this.#bucketsDoneUpTo + this.#buckets.length - 1)
    this.#bucket(due).push(ticking)
    this.#waiting++
    this.#wakeFor(due)
  }

  stop (): void {
    clearImmediate(this.#immediate)
    clearTimeout(this.#timer)
  }

  #bucket (ms: number): Ticking[] {
    return this.#buckets[ms % this.#buckets.length] as Ticking[] // in range by the modulo
  }

  readonly #runReady = (): void => {
    const ready = this.#ready
    this.#ready = []
    this.#immediate = undefined
    for (const ticking of ready) ticking.tick()
  }

  readonly #runDue = (): void => {
    this.#timer = undefined
    const now = Math.floor(this.#now())
    const last = Math.min(now, this.#bucketsDoneUpTo + this.#buckets.length - 1)
    const due: Ticking[] = []
    for (let ms = this.#bucketsDoneUpTo + 1; ms <= last; ms++) due.push(...this.#bucket(ms).splice(0))
    this.#bucketsDoneUpTo = now
    this.#waiting -= due.length
    for (const ticking of due) ticking.tick()
    if (this.#waiting > 0) this.#wakeFor(this.#nextBucket())
  }

  /** Sets the timer, unless it is set for then or earlier: a room that waits long must not delay the others. */
  #wakeFor (due: number): void {
    if (this.#timer !== undefined && this.#timerFor <= due) return
    clearTimeout(this.#timer)
    this.#timerFor = due
    this.#timer = setTimeout(this.#runDue, Math.max(1, due - this.#now()))
  }

  #nextBucket (): number {
    let ms = this.#bucketsDoneUpTo + 1
    while (ms < this.#bucketsDoneUpTo + this.#buckets.length && this.#bucket(ms).length === 0) ms++
    return ms
  }
}
