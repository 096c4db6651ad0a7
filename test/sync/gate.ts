/** A gate for operations: open, shut until the test opens it, or failing. */
export class Gate {
  #waiting: Array<() => void> = []
  #isShut = false
  #failure: Error | undefined
  /** Number of operations that will still fail */
  #failures = 0

  /** The number of operations that have arrived here, failed ones too */
  passed = 0

  /** The number of operations that wait here. */
  get waiting (): number { return this.#waiting.length }

  /** @throws the error passed to `fail` */
  async pass (): Promise<void> {
    this.passed++
    if (this.#isShut) await new Promise<void>((resolve) => { this.#waiting.push(resolve) })
    if (this.#failures === 0) return
    this.#failures--
    throw this.#failure ?? new Error('The store is down')
  }

  shut (): void { this.#isShut = true }

  open (): void {
    this.#isShut = false
    for (const pass of this.#waiting.splice(0)) pass()
  }

  /** Lets one operation through and stays shut. */
  openOnce (): void { this.#waiting.shift()?.() }

  /** Makes the next `times` operations fail. */
  fail (times = Infinity, error?: Error): void {
    this.#failures = times
    this.#failure = error
  }

  heal (): void { this.#failures = 0 }
}
