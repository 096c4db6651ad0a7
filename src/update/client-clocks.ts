/** Clocks in a form that can be handed to another thread, see `ClientClocks.pack`. */
export interface PackedClocks {
  readonly clients: Float64Array<ArrayBuffer>
  readonly clocks: Float64Array<ArrayBuffer>
}

/** Clients that there is room for at first. */
const firstCapacity = 8

/**
 * A clock for each of many clients, 0 if nothing of the client is held. Two arrays, clients in descending order as Yjs
 * writes them: encoding needs no sorting, and a client takes 16 bytes. Most lookups ask for the last client again or
 * for the one after it, so these are the fastest.
 */
export class ClientClocks implements Iterable<[client: number, clock: number]> {
  #clients = new Float64Array(firstCapacity)
  #clocks = new Float64Array(firstCapacity)
  #size = 0
  #last = 0

  /** Takes over the arrays that `pack` made, without reading them. */
  static unpack ({ clients, clocks }: PackedClocks): ClientClocks {
    const made = new ClientClocks()
    made.#clients = clients
    made.#clocks = clocks
    made.#size = clients.length
    return made
  }

  /** A copy that can be handed to another thread. */
  pack (): PackedClocks {
    return { clients: this.#clients.slice(0, this.#size), clocks: this.#clocks.slice(0, this.#size) }
  }

  /** The number of clients, including those at 0. */
  get size (): number {
    return this.#size
  }

  /** The client's clock. */
  get (client: number): number {
    const at = this.indexOf(client)
    return at < 0 ? 0 : this.#clocks[at]!
  }

  /** Sets the client's clock. A new client at the end costs nothing; before the end it moves those behind it. */
  set (client: number, clock: number): void {
    let at = this.indexOf(client)
    if (at < 0) {
      this.#insert([client], [~at])
      at = ~at
    }
    this.#clocks[at] = clock
  }

  /**
   * Adds the clients that are missing, with the clock 0. Moves each existing client at most once.
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

  /** Finds a client. @returns its index, or `~index` of the place where it belongs */
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

  /** The client at an index. */
  clientAt (index: number): number {
    return this.#clients[index]!
  }

  /** The clock of the client at an index. */
  clockAt (index: number): number {
    return this.#clocks[index]!
  }

  /** Yields the clients that are not at 0. */
  * [Symbol.iterator] (): Generator<[client: number, clock: number]> {
    for (let i = 0; i < this.#size; i++) {
      if (this.#clocks[i]! > 0) yield [this.#clients[i]!, this.#clocks[i]!]
    }
  }

  /** @param places where each belongs if it is the only new one */
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
