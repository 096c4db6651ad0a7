/** How many sockets can be open in this process. 0 = no limit. */
export interface SocketLimits {
  readonly total: number
  readonly perUser: number
  readonly perAddress: number
  /** Sockets that stay open although all their documents were refused */
  readonly refusedPerAddress: number
}

/** Counts open sockets by address and user. */
export class ConnectionLimits {
  readonly #limits: SocketLimits
  readonly #users = new Map<string, number>()
  readonly #addresses = new Map<string, number>()
  readonly #refused = new Map<string, number>()
  #total = 0

  constructor (limits: SocketLimits) {
    this.#limits = limits
  }

  get total (): number { return this.#total }

  /** Counts one more socket. @returns false, and counts nothing, if it is one too many; if true, `leave` must follow */
  enter (address: string): boolean {
    const { total, perAddress } = this.#limits
    if (total > 0 && this.#total >= total) return false
    if (perAddress > 0 && !count(this.#addresses, address, perAddress)) return false
    this.#total++
    return true
  }

  leave (address: string): void {
    this.#total--
    if (this.#limits.perAddress > 0) uncount(this.#addresses, address)
  }

  /** The same for an open socket whose documents were all refused. */
  enterRefused (address: string): boolean {
    const { refusedPerAddress } = this.#limits
    return refusedPerAddress === 0 || count(this.#refused, address, refusedPerAddress)
  }

  leaveRefused (address: string): void {
    if (this.#limits.refusedPerAddress > 0) uncount(this.#refused, address)
  }

  /** The same for a user in a room; anonymous users are not counted. */
  enterAs (userId: string | undefined): boolean {
    const { perUser } = this.#limits
    return userId === undefined || perUser === 0 || count(this.#users, userId, perUser)
  }

  /** An open connection turns out to be another user's; it stays open even above the limit. */
  moveAs (from: string | undefined, to: string | undefined): void {
    if (from === to || this.#limits.perUser === 0) return
    this.leaveAs(from)
    if (to !== undefined) count(this.#users, to, Infinity)
  }

  leaveAs (userId: string | undefined): void {
    if (userId !== undefined && this.#limits.perUser > 0) uncount(this.#users, userId)
  }
}

function count (counts: Map<string, number>, key: string, limit: number): boolean {
  const before = counts.get(key) ?? 0
  if (before >= limit) return false
  counts.set(key, before + 1)
  return true
}

function uncount (counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
