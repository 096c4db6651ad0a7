import { isAnonymous, type Claimed } from './claim.ts'

/** Client ids remembered of one person in a room: each reload of a page leaves one. */
const maxPerPersonInRoom = 64
/** Client ids remembered in one room: all of 5,000 people leave, reload and leave again. */
const maxInRoom = 10_000

/**
 * Clients that have left, by person. Their number is bounded: above `maxPerPerson` the person's oldest client is
 * dropped; above `maxInAll` the oldest one of the newcomer's person, else one of an anonymous person. So nobody can
 * make the service forget the clients of a known user.
 */
export class Departed<Client extends Claimed> {
  readonly #known = new Map<string, Set<Client>>()
  readonly #anonymous = new Map<string, Set<Client>>()
  #size = 0
  readonly #maxPerPerson: number
  readonly #maxInAll: number

  /** The defaults are the bounds of one room. */
  constructor (maxPerPerson = maxPerPersonInRoom, maxInAll = maxInRoom) {
    this.#maxPerPerson = maxPerPerson
    this.#maxInAll = maxInAll
  }

  /** @returns the client that must be forgotten instead, if any; it can be the same one */
  add (client: Client): Client | undefined {
    const { person } = client.claim
    const people = this.#peopleLike(person)
    const own = people.get(person) ?? new Set()
    people.set(person, own.add(client))
    this.#size++
    if (own.size > this.#maxPerPerson) return oldest(own)
    if (this.#size <= this.#maxInAll) return undefined
    return oldest(own.size > 1 ? own : this.#anonymous.values().next().value ?? own)
  }

  /** To be called before the client's claim changes. */
  delete (client: Client): void {
    const { person } = client.claim
    const people = this.#peopleLike(person)
    const own = people.get(person)
    if (own?.delete(client) !== true) return
    this.#size--
    if (own.size === 0) people.delete(person)
  }

  #peopleLike (person: string): Map<string, Set<Client>> {
    return isAnonymous(person) ? this.#anonymous : this.#known
  }
}

const oldest = <Client>(clients: Set<Client>): Client | undefined => clients.values().next().value
