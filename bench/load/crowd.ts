import { setTimeout as delay } from 'node:timers/promises'
import { Client, joinAll, type Target } from './client.ts'
import { Histogram } from './histogram.ts'
import type { Clocks } from './scan.ts'
import { moveCursor, typeCharacter } from './write.ts'

/** ms after which a stock client renews its presence (half of `outdatedTimeout` of y-protocols/awareness.js). */
const renewalMs = 15_000

/** Yjs client ids of the crowd: as long on the wire as the random ones of real clients. */
const firstClientId = 3_000_000_000

/** One member: writes as one Yjs client, and tracks how many updates of each other member it has received. */
interface Member {
  client: Client
  /** how many updates it has sent; the clock of its next character */
  written: number
  /** when each of them was sent, in milliseconds */
  sentAt: number[]
  /** per member of its room: how many updates of theirs it has */
  heard: Int32Array
}

/**
 * Rooms full of people who write and read. An update counts as delivered once the reader has its content, however it
 * was packed: each reader tracks every writer's clock. The echo to the writer does not count.
 */
export class Crowd {
  readonly delays = new Histogram()
  /** updates × readers that have them */
  delivered = 0
  /** Bytes of all updates written, without their frames */
  writtenBytes = 0
  /** updates × readers that should have them */
  expected = 0
  /**
   * The longest time a due update waited because this process was busy: above some milliseconds the generator itself
   * is the bottleneck.
   */
  worstLagMs = 0
  readonly #members: Member[] = []
  readonly #random = seededRandom(7)
  readonly #roomSize: number
  readonly #kind: 'update' | 'awareness'
  readonly #isPresent: boolean
  /** Renewals of presence so far; each member's turn comes with every `members`th */
  #renewals = 0

  /**
   * @param target the address of all members, or of each by its number
   * @param isPresent whether members who write updates are present too, and renew that every 15 s while `write` runs
   */
  constructor (
    target: Target | ((member: number) => Target),
    rooms: number,
    roomSize: number,
    kind: 'update' | 'awareness',
    isPresent = false
  ) {
    this.#roomSize = roomSize
    this.#kind = kind
    this.#isPresent = isPresent
    for (let index = 0; index < rooms * roomSize; index++) {
      const client = new Client(typeof target === 'function' ? target(index) : target, `room-${Math.floor(index / roomSize)}`)
      const member: Member = { client, written: 0, sentAt: [], heard: new Int32Array(roomSize) }
      client.onMessage = (message, at) => {
        if (message.kind === 'awareness' ? kind === 'awareness' : kind === 'update') this.#hear(member, index, message.clocks, at)
      }
      this.#members.push(member)
    }
  }

  async join (): Promise<void> {
    await joinAll(this.#members.map(({ client }) => client))
  }

  leave (): void {
    for (const { client } of this.#members) client.leave()
  }

  /** Close codes of members that the server has disconnected. */
  get dropped (): number[] {
    return this.#members.flatMap(({ client }) => client.closeCode ?? [])
  }

  /**
   * Writes at a steady rate for a while, spread over all members. They write independently of each other, as people do:
   * the gaps between updates are exponential, so that the times form a Poisson process.
   * @param perSecond updates per second, in total; 0: none
   */
  async write (perSecond: number, seconds: number): Promise<void> {
    const order = shuffled(this.#members.map((_, index) => index))
    const start = performance.now()
    const end = start + seconds * 1000
    const gap = (): number => -Math.log(1 - this.#random()) / perSecond * 1000
    let due = start + gap()
    let sent = 0
    const renewalsBefore = this.#renewals
    const renewalsPerMs = this.#isPresent ? this.#members.length / renewalMs : 0
    for (;;) {
      const now = performance.now()
      const until = Math.min(now, end)
      if (due <= until) this.worstLagMs = Math.max(this.worstLagMs, now - due)
      for (; due <= until; due += gap()) {
        // order holds every index once, and sent % length is one of its places
        this.#writeOne(order[sent++ % order.length] as number)
      }
      this.#renew(renewalsBefore + Math.floor((until - start) * renewalsPerMs))
      if (now >= end) return
      await delay(1)
    }
  }

  /** Waits until every update has reached every reader. @returns whether that happened in time */
  async drain (timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    while (this.delivered < this.expected && performance.now() < deadline) await delay(5)
    return this.delivered >= this.expected
  }

  /** @param renewals how many there are to be so far */
  #renew (renewals: number): void {
    for (; this.#renewals < renewals; this.#renewals++) {
      const index = this.#renewals % this.#members.length
      const clock = Math.floor(this.#renewals / this.#members.length) + 1
      this.#members[index]?.client.sendAwareness(moveCursor(firstClientId + index, clock))
    }
  }

  #writeOne (index: number): void {
    const member = this.#members[index]
    if (member === undefined) return
    const id = firstClientId + index
    member.sentAt.push(performance.now())
    // The first awareness clock is 1, the first character's is 0: in both cases `written` updates are known once clock
    // `written` arrives.
    const bytes = this.#kind === 'update' ? typeCharacter(id, member.written) : moveCursor(id, member.written + 1)
    if (this.#kind === 'update') member.client.sendUpdate(bytes)
    else member.client.sendAwareness(bytes)
    this.writtenBytes += bytes.length
    member.written++
    this.expected += this.#roomSize - 1
  }

  #hear (reader: Member, readerIndex: number, { clients, ends }: Clocks, at: number): void {
    const first = readerIndex - readerIndex % this.#roomSize
    for (let entry = 0; entry < clients.length; entry++) {
      const index = (clients[entry] ?? 0) - firstClientId
      const writer = this.#members[index]
      if (writer === undefined || index === readerIndex) continue
      const seat = index - first
      const before = reader.heard[seat] ?? 0
      const end = Math.min(ends[entry] ?? 0, writer.written)
      if (end <= before) continue
      reader.heard[seat] = end
      this.delivered += end - before
      for (let nth = before; nth < end; nth++) this.delays.add(at - (writer.sentAt[nth] ?? at))
    }
  }
}

/** Fisher-Yates shuffle with a fixed seed, so that runs are alike. */
function shuffled (indexes: number[]): number[] {
  const random = seededRandom(42)
  for (let at = indexes.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    // both places lie inside the list
    const kept = indexes[at] as number
    indexes[at] = indexes[other] as number
    indexes[other] = kept
  }
  return indexes
}

/** Numbers from 0 to 1 that are the same in each run (a linear congruential generator, 32 bits). */
function seededRandom (seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
