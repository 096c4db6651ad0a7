import type { NodeId } from '../../bus/bus.ts'
import { absentState, type AwarenessEntry, type EncodedEntry } from '../../protocol/awareness.ts'
import { isOpenTo, rememberLeftMs, replaces, type Claim, type Claimed } from './claim.ts'
import { Departed } from './departed.ts'
import { maxClientIdsPerConnection } from '../limits.ts'
import type { SharedPresence } from '../peers/other-nodes.ts'

/** A connection of this node, as far as it speaks for client ids. */
export interface Speaker {
  /** See `personOf` */
  readonly person: string
  /** Engine time in ms */
  readonly joinedAt: number
}

/** A client that is present, or has left and is still remembered. */
export interface Presence extends AwarenessEntry, Claimed {
  readonly clientId: number
  clock: number
  /** The clock in its owner's last word; `clock` is ahead of it after a return with an old one */
  saidClock: number
  state: string
  /** Length of `state` in UTF-8; counted for connections of this node only */
  stateBytes: number
  claim: Claim
  /** The other node that its owner was connected to last; undefined = this one */
  node: NodeId | undefined
  /** The connection of this node that spoke for it last, while it is open */
  speaker: Speaker | undefined
  renewedAt: number
}

/** What a client says of itself, and who hears it from whom. */
interface Word {
  readonly clock: number
  readonly state: string
  readonly stateBytes: number
  readonly speaker: Speaker | undefined
  readonly node: NodeId | undefined
}

/** Higher clocks are dropped. No client counts that far, and adding to them stays exact: clients throw above 2^53. */
const maxClock = 2 ** 48

/** Who is present in a room. Presence is never stored. Each client id has an owner, by the rule of claim.ts. */
export class AwarenessTable {
  readonly #presences = new Map<number, Presence>()
  readonly #changed = new Set<Presence>()
  readonly #departed = new Departed<Presence>()
  /** What each connection of this node has here: how many client ids, with how many bytes of state in all */
  readonly #shares = new Map<Speaker, { ids: number, bytes: number }>()
  readonly #wallNow: () => number
  #version = 0

  /** @param wallNow ms since the epoch */
  constructor (wallNow: () => number = Date.now) {
    this.#wallNow = wallNow
  }

  /** Restores the clients that left the room before it was released and opened again. */
  recall (departed: readonly Presence[]): void {
    for (const presence of departed) {
      this.#presences.set(presence.clientId, presence)
      this.#remember(presence)
    }
  }

  /** Another number whenever `all` has changed. */
  get version (): number { return this.#version }

  /**
   * Takes in what a connection of this node says about its clients.
   * @param maxBytes of all its states together
   * @returns how many entries were dropped because they speak for somebody else, or for too many, or are too large
   * @throws MalformedMessage at the first entry that does not decode; those before it are taken
   */
  apply (entries: Iterable<EncodedEntry>, speaker: Speaker, maxBytes: number, now: number): number {
    let dropped = 0
    for (const entry of entries) if (!this.#apply(entry, speaker, maxBytes, now)) dropped++
    return dropped
  }

  #apply (entry: EncodedEntry, speaker: Speaker, maxBytes: number, now: number): boolean {
    const { clientId, clock, stateBytes, isAbsent } = entry
    const known = this.#presences.get(clientId)
    if (known === undefined && isAbsent) return true
    if (clock > maxClock || (known !== undefined && !this.#maySpeak(speaker, known, clock, now))) return false
    if (isAbsent) {
      if (known !== undefined) this.#heardLeft(known, clock, now)
      return true
    }
    if (!this.#hasRoom(speaker, known, stateBytes, maxBytes)) return false
    const word: Word = { clock, state: entry.readState(), stateBytes, speaker, node: undefined }
    if (known === undefined) {
      this.#add(clientId, { person: speaker.person, since: this.#wallNow() }, word, now)
      return true
    }
    if (known.claim.person !== speaker.person) {
      const since = known.speaker === speaker ? known.claim.since : this.#wallNow()
      this.#reclaim(known, { person: speaker.person, since })
    }
    this.#speak(known, word, now)
    return true
  }

  /** Takes in what a node says of those who are connected to it, and of those who have left. */
  hear (node: NodeId, entries: readonly SharedPresence[], now: number): void {
    for (const entry of entries) this.#hear(node, entry, now)
  }

  #hear (node: NodeId, { clientId, clock, state, person, since, leftMs }: SharedPresence, now: number): void {
    const known = this.#presences.get(clientId)
    const isPresent = state !== absentState
    const claim = { person, since }
    const word: Word = { clock, state, stateBytes: 0, speaker: undefined, node }
    if (!isPresent && leftMs >= rememberLeftMs) return
    if (known === undefined) return this.#add(clientId, claim, word, now - leftMs)
    const isSame = known.claim.person === person
    if (isSame && since < known.claim.since) known.claim = claim
    else if (!isSame) {
      if (!replaces(claim, isPresent, known, now)) return
      this.#reclaim(known, claim)
    }
    if (isPresent) this.#speak(known, word, now)
    // A person who has moved is present here or elsewhere: what the node before says of their leave is late.
    else if (!isSame || known.node === node) this.#heardLeft(known, clock, now - leftMs)
    // Whoever spoke for it here until now does so no longer.
    if (!isSame) known.speaker = undefined
  }

  /** Removes the clients of a connection that has ended. @returns whether there were any */
  leave (speaker: Speaker, now: number): boolean {
    const any = this.#removeWhere((presence) => presence.speaker === speaker, now)
    for (const presence of this.#presences.values()) if (presence.speaker === speaker) presence.speaker = undefined
    return any
  }

  /** Removes the clients that are connected to another node, except these. @returns whether there were any */
  leaveNode (node: NodeId, now: number, except: ReadonlySet<number> = new Set()): boolean {
    return this.#removeWhere((presence) => presence.node === node && !except.has(presence.clientId), now)
  }

  /** Removes what was not renewed within `timeoutMs` and forgets those who left long ago. */
  expire (now: number, timeoutMs: number): boolean {
    for (const presence of this.#presences.values()) {
      if (presence.state === absentState && now - presence.renewedAt > rememberLeftMs) this.#forget(presence)
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
    return this.all().filter(({ state }) => state !== absentState)
  }

  /** Clients that left recently. */
  departed (): Presence[] {
    return this.all().filter(({ state }) => state === absentState)
  }

  /** Everyone who is present or has left a short while ago. */
  all (): Presence[] {
    return [...this.#presences.values()]
  }

  #add (clientId: number, claim: Claim, { clock, ...word }: Word, renewedAt: number): void {
    const presence: Presence = { clientId, clock, saidClock: clock, claim, ...word, renewedAt }
    this.#presences.set(clientId, presence)
    if (presence.state === absentState) this.#remember(presence)
    else this.#count(presence, 1)
    this.#note(presence)
  }

  /**
   * A client that comes back after its removal may use a clock that the others have seen already and would ignore
   * (`applyAwarenessUpdate` wants a higher one). Such a state is given the next clock; its owner takes that clock over
   * when it hears its own state, so all agree again.
   */
  #speak (known: Presence, { clock, state, stateBytes, speaker, node }: Word, now: number): void {
    const isNews = clock > known.saidClock || state !== known.state
    const hasMoved = node !== known.node
    const wasPresent = known.state !== absentState
    const isCounted = wasPresent && known.speaker === speaker && known.stateBytes === stateBytes
    if (!wasPresent) this.#departed.delete(known)
    else if (!isCounted) this.#count(known, -1)
    if (isNews) known.clock = Math.max(clock, known.clock + 1)
    known.saidClock = clock
    known.state = state
    known.stateBytes = stateBytes
    known.speaker = speaker
    known.node = node
    known.renewedAt = now
    if (!isCounted) this.#count(known, 1)
    if (isNews || hasMoved) this.#note(known)
  }

  #heardLeft (known: Presence, clock: number, leftAt: number): void {
    known.clock = Math.max(known.clock, clock)
    if (known.state !== absentState) return this.#remove(known, leftAt)
    this.#departed.delete(known)
    this.#remember(known)
  }

  #removeWhere (isGone: (presence: Presence) => boolean, now: number): boolean {
    let any = false
    for (const presence of this.#presences.values()) {
      if (presence.state === absentState || !isGone(presence)) continue
      this.#remove(presence, now)
      any = true
    }
    return any
  }

  #remove (presence: Presence, leftAt: number): void {
    this.#count(presence, -1)
    presence.state = absentState
    presence.renewedAt = leftAt
    this.#note(presence)
    this.#remember(presence)
  }

  #remember (presence: Presence): void {
    const pushedOut = this.#departed.add(presence)
    if (pushedOut !== undefined) this.#forget(pushedOut)
  }

  #forget (presence: Presence): void {
    this.#departed.delete(presence)
    this.#presences.delete(presence.clientId)
    this.#version++
  }

  /** The new owner's word must follow: until then a client that has left is not counted among the departed. */
  #reclaim (known: Presence, claim: Claim): void {
    this.#departed.delete(known)
    known.claim = claim
  }

  #note (presence: Presence): void {
    this.#changed.add(presence)
    this.#version++
  }

  /**
   * y-websocket clients relay what they hear of others. Such an echo repeats a clock, and comes from a connection that was there
   * when its subject spoke last or left. The owner itself, on its way from another node, may have been there too: but it
   * speaks for itself first.
   */
  #maySpeak (speaker: Speaker, known: Presence, clock: number, now: number): boolean {
    if (known.speaker === speaker) return true
    const isSame = known.claim.person === speaker.person
    const isEcho = clock <= known.clock && speaker.joinedAt <= known.renewedAt && (!isSame || this.#shares.has(speaker))
    return !isEcho && isOpenTo(speaker.person, known, now)
  }

  #hasRoom (speaker: Speaker, known: Presence | undefined, stateBytes: number, maxBytes: number): boolean {
    const { ids, bytes } = this.#shares.get(speaker) ?? { ids: 0, bytes: 0 }
    const isOwn = known?.speaker === speaker && known.state !== absentState
    return (isOwn || ids < maxClientIdsPerConnection) && bytes - (isOwn ? known.stateBytes : 0) + stateBytes <= maxBytes
  }

  /** Adds a presence to its connection's share, or takes it away. */
  #count ({ speaker, stateBytes }: Presence, sign: 1 | -1): void {
    if (speaker === undefined) return
    const { ids, bytes } = this.#shares.get(speaker) ?? { ids: 0, bytes: 0 }
    if (ids + sign === 0) this.#shares.delete(speaker)
    else this.#shares.set(speaker, { ids: ids + sign, bytes: bytes + sign * stateBytes })
  }
}
