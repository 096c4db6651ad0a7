/** What `ClientClocks.pack` makes. */
export interface PackedClocks {
  readonly clients: Float64Array<ArrayBuffer>
  readonly clocks: Float64Array<ArrayBuffer>
}

/**
 * A clock for each of many clients, 0 where nothing is held of one: two arrays, clients in descending order as Yjs writes them. No sorting to encode it, and two numbers for a client where
 * a Map takes eight. Looking up is quickest for the client asked for last and the one after it, which is where most questions are.
 */
export class ClientClocks implements Iterable<[client: number, clock: number]> {
  #clients: number[] = []
  #clocks: number[] = []
  #last = 0

  /** @param clients and `clocks` belong together, in any order; where a client comes twice, its last clock counts. Taken over */
  static from (clients: number[], clocks: number[]): ClientClocks {
    const made = new ClientClocks()
    if (clients.every((client, i) => i === 0 || client < clients[i - 1]!)) {
      made.#clients = clients
      made.#clocks = clocks
    } else {
      const last = new Map(clients.map((client, i) => [client, clocks[i]!]))
      made.#clients = [...last.keys()].sort((a, b) => b - a)
      made.#clocks = made.#clients.map((client) => last.get(client)!)
    }
    return made
  }

  /** Takes over what `pack` has made. */
  static unpack ({ clients, clocks }: PackedClocks): ClientClocks {
    return ClientClocks.from(Array.from(clients), Array.from(clocks))
  }

  /** In memory of its own, which can be handed to another thread. */
  pack (): PackedClocks {
    return { clients: Float64Array.from(this.#clients), clocks: Float64Array.from(this.#clocks) }
  }

  /** Number of clients, those at 0 too. */
  get size (): number {
    return this.#clients.length
  }

  get (client: number): number {
    const at = this.indexOf(client)
    return at < 0 ? 0 : this.#clocks[at]!
  }

  set (client: number, clock: number): void {
    const at = this.indexOf(client)
    if (at >= 0) {
      this.#clocks[at] = clock
      return
    }
    this.#clients.splice(~at, 0, client)
    this.#clocks.splice(~at, 0, clock)
  }

  /**
   * Adds those clients that are not there, with the clock 0.
   * @param clients in descending order, each once
   */
  addMissing (clients: readonly number[]): void {
    if (clients.every((client) => this.indexOf(client) >= 0)) return
    const merged = new ClientClocks()
    let i = 0
    for (const client of clients) {
      for (; i < this.size && this.clientAt(i) > client; i++) merged.#push(this.clientAt(i), this.clockAt(i))
      if (this.#clients[i] !== client) merged.#push(client, 0)
    }
    for (; i < this.size; i++) merged.#push(this.clientAt(i), this.clockAt(i))
    this.#clients = merged.#clients
    this.#clocks = merged.#clocks
  }

  /** @returns the client's place in the order, or `~place` where it would stand */
  indexOf (client: number): number {
    const clients = this.#clients
    const last = this.#last
    if (last < clients.length && clients[last] === client) return last
    if (last + 1 < clients.length && clients[last + 1] === client) return (this.#last = last + 1)
    let low = 0
    let high = clients.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (clients[middle]! > client) low = middle + 1
      else high = middle
    }
    this.#last = low
    return clients[low] === client ? low : ~low
  }

  clientAt (index: number): number {
    return this.#clients[index]!
  }

  clockAt (index: number): number {
    return this.#clocks[index]!
  }

  /** Clients at 0 are left out. */
  * [Symbol.iterator] (): Generator<[client: number, clock: number]> {
    for (const [i, clock] of this.#clocks.entries()) if (clock > 0) yield [this.#clients[i]!, clock]
  }

  #push (client: number, clock: number): void {
    this.#clients.push(client)
    this.#clocks.push(clock)
  }
}
