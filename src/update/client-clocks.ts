/** What `ClientClocks.pack` makes. */
export interface PackedClocks {
  readonly clients: Float64Array<ArrayBuffer>
  readonly clocks: Float64Array<ArrayBuffer>
}

/** Room for so many clients to begin with. */
const firstCapacity = 8

/**
 * A clock for each of many clients, 0 where nothing is held of one: two arrays, clients in descending order as Yjs writes them. No sorting to encode it, and
 * 16 bytes for a client. Looking up is quickest for the client asked for last and the one after it, which is where most questions are.
 */
export class ClientClocks implements Iterable<[client: number, clock: number]> {
  #clients = new Float64Array(firstCapacity)
  #clocks = new Float64Array(firstCapacity)
  #size = 0
  #last = 0

  /** Takes over what `pack` has made, without reading it. */
  static unpack ({ clients, clocks }: PackedClocks): ClientClocks {
    const made = new ClientClocks()
    made.#clients = clients
    made.#clocks = clocks
    made.#size = clients.length
    return made
  }

  /** In memory of its own, which can be handed to another thread. */
  pack (): PackedClocks {
    return { clients: this.#clients.slice(0, this.#size), clocks: this.#clocks.slice(0, this.#size) }
  }

  /** Number of clients, those at 0 too. */
  get size (): number {
    return this.#size
  }

  get (client: number): number {
    const at = this.indexOf(client)
    return at < 0 ? 0 : this.#clocks[at]!
  }

  /** A new client behind all others costs nothing; one among them moves those behind it. */
  set (client: number, clock: number): void {
    let at = this.indexOf(client)
    if (at < 0) {
      this.#insert([client], [~at])
      at = ~at
    }
    this.#clocks[at] = clock
  }

  /**
   * Adds those clients that are not there, with the clock 0. Moves each of the others once at most.
   * @param clients in descending order, each once
   */
  addMissing (clients: readonly number[]): void {
    const missing: number[] = []
    const places: number[] = []
    for (const client of clients) {
      const at = this.indexOf(client)
      if (at >= 0) continue
      missing.push(client)
      places.push(~at)
    }
    this.#insert(missing, places)
  }

  /** @returns the client's place in the order, or `~place` where it would stand */
  indexOf (client: number): number {
    const clients = this.#clients
    const last = this.#last
    if (last < this.#size && clients[last] === client) return last
    if (last + 1 < this.#size && clients[last + 1] === client) return (this.#last = last + 1)
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (clients[middle]! > client) low = middle + 1
      else high = middle
    }
    this.#last = low
    return low < this.#size && clients[low] === client ? low : ~low
  }

  clientAt (index: number): number {
    return this.#clients[index]!
  }

  clockAt (index: number): number {
    return this.#clocks[index]!
  }

  /** Clients at 0 are left out. */
  * [Symbol.iterator] (): Generator<[client: number, clock: number]> {
    for (let i = 0; i < this.#size; i++) {
      if (this.#clocks[i]! > 0) yield [this.#clients[i]!, this.#clocks[i]!]
    }
  }

  /** @param places where each would stand if it were the only one */
  #insert (missing: readonly number[], places: readonly number[]): void {
    this.#reserve(this.#size + missing.length)
    let end = this.#size
    for (let i = missing.length - 1; i >= 0; i--) {
      const place = places[i]!
      if (place < end) {
        this.#clients.copyWithin(place + i + 1, place, end)
        this.#clocks.copyWithin(place + i + 1, place, end)
      }
      this.#clients[place + i] = missing[i]!
      this.#clocks[place + i] = 0
      end = place
    }
    this.#size += missing.length
  }

  #reserve (capacity: number): void {
    if (capacity <= this.#clients.length) return
    const clients = new Float64Array(Math.max(capacity, this.#clients.length * 2))
    const clocks = new Float64Array(clients.length)
    clients.set(this.#clients)
    clocks.set(this.#clocks)
    this.#clients = clients
    this.#clocks = clocks
  }
}
