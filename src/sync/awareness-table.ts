import type { NodeId } from '../bus/bus.ts'
import { absentState, type AwarenessEntry } from '../protocol/awareness.ts'

/** Who speaks for a client id. */
export interface AwarenessOwner {
  /** The other node that it is connected to; undefined = this one */
  readonly node: NodeId | undefined
  /** Engine time in ms of its coming */
  readonly joinedAt: number
  /** See `SharedPresence` */
  readonly person: number
  /** Whether `other` is the same person come back, or has been silent for so long that its ids are free. */
  mayTakeFrom (other: AwarenessOwner): boolean
}

export interface Presence extends AwarenessEntry {
  readonly clientId: number
  clock: number
  /** JSON text, or `null` as text for one that has left and whose clock is still remembered */
  state: string
  owner: AwarenessOwner | undefined
  /** Who has said so last */
  speaker: AwarenessOwner | undefined
  /** ms, by the engine's clock; of one that has left, when that was */
  renewedAt: number
}

/** Left clients are remembered this long, so that their return with an old clock is noticed. */
const rememberLeftMs = 120_000

/**
 * Who is present in a room. Presence is never stored. Each client id belongs to the connection that brought it first;
 * what others say about it is dropped.
 */
export class AwarenessTable {
  #presences = new Map<number, Presence>()
  #changed = new Set<Presence>()
  /** How many client ids belong to whom */
  #owned = new Map<AwarenessOwner, number>()
  #version = 0

  /** Another number whenever `all` has changed. */
  get version (): number { return this.#version }

  /**
   * Takes in what a connection says about its clients.
   *
   * A client that comes back after its removal may use a clock that the others have seen already and would ignore
   * (`applyAwarenessUpdate` wants a higher one). Such a state is given the next clock; its owner takes that clock over
   * when it hears its own state, so all agree again.
   * @returns how many entries were dropped because they speak for somebody else, or for too many
   */
  apply (entries: readonly AwarenessEntry[], owner: AwarenessOwner | undefined, ownedLimit: number, now: number): number {
    let dropped = 0
    for (const { clientId, clock, state } of entries) {
      const known = this.#presences.get(clientId)
      if (known === undefined) {
        if (state === absentState) continue
        if (owner !== undefined && (this.#owned.get(owner) ?? 0) >= ownedLimit) dropped++
        else {
          const presence: Presence = { clientId, clock, state, owner: undefined, speaker: owner, renewedAt: now }
          this.#give(presence, owner)
          this.#set(presence)
        }
        continue
      }
      // y-websocket clients send on what they hear of others. Such an echo may arrive after its subject has left; only
      // somebody who has come since then can be that client with its old clock.
      const isEcho = known.state === absentState && clock <= known.clock && owner !== undefined &&
        owner !== known.speaker && owner.joinedAt <= known.renewedAt
      if (isEcho) {
        dropped++
        continue
      }
      const isFree = known.state === absentState || known.owner === owner
      if (!isFree && !(owner === undefined || known.owner === undefined || owner.mayTakeFrom(known.owner))) {
        dropped++
        continue
      }
      if (clock <= known.clock && state === known.state) {
        known.renewedAt = now
        const hasMoved = known.owner?.node !== owner?.node
        this.#give(known, owner)
        known.speaker = owner
        if (hasMoved) this.#set(known)
        continue
      }
      known.clock = clock > known.clock ? clock : state === absentState ? known.clock : known.clock + 1
      known.state = state
      this.#give(known, owner)
      known.speaker = owner
      known.renewedAt = now
      this.#set(known)
    }
    return dropped
  }

  /** Removes the clients of a connection that has ended. @returns whether there were any */
  leave (owner: AwarenessOwner, now: number): boolean {
    return this.#removeWhere((presence) => presence.owner === owner, now)
  }

  /** Removes the clients that are connected to another node, except these. @returns whether there were any */
  leaveNode (node: NodeId, now: number, except: ReadonlySet<number> = new Set()): boolean {
    return this.#removeWhere((presence) => presence.owner?.node === node && !except.has(presence.clientId), now)
  }

  /** Whether a client speaks through another node. */
  isAt (clientId: number, node: NodeId): boolean {
    return this.#presences.get(clientId)?.owner?.node === node
  }

  /** Removes what was not renewed within `timeoutMs` and forgets those who left long ago. */
  expire (now: number, timeoutMs: number): boolean {
    for (const [clientId, presence] of this.#presences) {
      if (presence.state === absentState && now - presence.renewedAt > rememberLeftMs) this.#forget(clientId, presence)
    }
    return this.#removeWhere((presence) => now - presence.renewedAt > timeoutMs, now)
  }

  /** What has changed since the last call, each client once. */
  takeChanged (): Presence[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  get hasChanged (): boolean {
    return this.#changed.size > 0
  }

  /** Everyone who is present. */
  present (): Presence[] {
    return [...this.#presences.values()].filter((presence) => presence.state !== absentState)
  }

  /** Everyone who is present or has left a short while ago. */
  all (): AwarenessEntry[] {
    return [...this.#presences.values()]
  }

  #set (presence: Presence): void {
    this.#presences.set(presence.clientId, presence)
    this.#changed.add(presence)
    this.#version++
  }

  #give (presence: Presence, owner: AwarenessOwner | undefined): void {
    if (presence.owner === owner) return
    if (presence.owner !== undefined) this.#count(presence.owner, -1)
    presence.owner = owner
    if (owner !== undefined) this.#count(owner, 1)
  }

  #count (owner: AwarenessOwner, more: number): void {
    const count = (this.#owned.get(owner) ?? 0) + more
    if (count === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, count)
  }

  #forget (clientId: number, presence: Presence): void {
    this.#give(presence, undefined)
    this.#presences.delete(clientId)
    this.#version++
  }

  #removeWhere (gone: (presence: Presence) => boolean, now: number): boolean {
    let any = false
    for (const presence of this.#presences.values()) {
      if (presence.state === absentState || !gone(presence)) continue
      presence.state = absentState
      this.#give(presence, undefined)
      presence.renewedAt = now
      this.#changed.add(presence)
      this.#version++
      any = true
    }
    return any
  }
}
