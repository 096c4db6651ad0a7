/** Keeps the last value that was made, for as long as it is made from the same thing. */
export class Cached<From, Made> {
  #from: From | undefined
  #made: Made | undefined

  /** @param from compared by identity @param make called if the value was made from another thing */
  get (from: From, make: (from: From) => Made): Made {
    if (this.#made === undefined || this.#from !== from) {
      this.#made = make(from)
      this.#from = from
    }
    return this.#made
  }

  /** Frees the memory; the next `get` makes the value again. */
  forget (): void {
    this.#from = undefined
    this.#made = undefined
  }
}
