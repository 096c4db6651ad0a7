import type { NodeId } from '../../bus/bus.ts'
import { absentState, type AwarenessEntry, type EncodedEntry } from '../../protocol/awareness.ts'
import { isOpenTo, rememberLeftMs, replaces, type Claim, type Claimed } from './claim.ts'
import { Departed } from './departed.ts'
import { maxClientIdsPerConnection } from '../limits.ts'
import type { SharedPresence } from '../peers/other-nodes.ts'

/** A connection of this node that sends states for client ids. */
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
  /** The clock in its owner's last state; `clock` is ahead of it after a return with an old one */
  saidClock: number
  state: string
  /** Length of `state` in UTF-8; counted for connections of this node only */
  stateBytes: number
  claim: Claim
  /** The other node that its owner was connected to last; undefined: this node */
  node: NodeId | undefined
  /** The connection of this node that sent its last state, while it is open */
  speaker: Speaker | undefined
  renewedAt: number
}

/** A state of a client, and where it came from. */
interface Word {
  readonly clock: number
  readonly state: string
  readonly stateBytes: number
  readonly speaker: Speaker | undefined
  readonly node: NodeId | undefined
}

/** Higher clocks are dropped. No client counts that far, and additions stay exact: clients throw above 2^53. */
const maxClock = 2 ** 48

/** Who is present in a room. Presence is never stored. Each client id has an owner, by the rules of claim.ts. */
export class AwarenessTable {
  readonly #presences = new Map<number, Presence>()
  readonly #changed = new Set<Presence>()
  readonly #departed = new Departed<Presence>()
  /** What each connection of this node has in the table: how many client ids, and the bytes of their states */
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

  /** Changes whenever `all` changes. */
  get version (): number { return this.#version }

  /**
   * Applies the states that a connection of this node has sent.
   * @param maxBytes of all its states together
   * @returns how many entries were dropped: they are for another person's client, too many or too large
   * @throws MalformedMessage at the first entry that does not decode; those before it are applied
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

  /** Applies what another node has sent of the clients that are connected to it, and of those that have left. */
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
    // A person who has moved to another node is present there: a report of their leave by the former node is late.
    else if (!isSame || known.node === node) this.#heardLeft(known, clock, now - leftMs)
    // The connection that sent its states until now no longer owns it.
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

  /**
   * Removes clients that were not renewed within `timeoutMs`, and forgets those that left long ago.
   * @returns whether any was removed
   */
  expire (now: number, timeoutMs: number): boolean {
    for (const presence of this.#presences.values()) {
      if (presence.state === absentState && now - presence.renewedAt > rememberLeftMs) this.#forget(presence)
    }
    return this.#removeWhere((presence) => now - presence.renewedAt > timeoutMs, now)
  }

  /** The clients that have changed since the last call, each once. */
  takeChanged (): Presence[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  get hasChanged (): boolean {
    return this.#changed.size > 0
  }

  /** Clients that are present. */
  present (): Presence[] {
    return this.all().filter(({ state }) => state !== absentState)
  }

  /** Clients that left recently. */
  departed (): Presence[] {
    return this.all().filter(({ state }) => state === absentState)
  }

  /** Clients that are present or left recently. */
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
   * A client that returns after its removal can use a clock that other clients have seen already and would ignore
   * (`applyAwarenessUpdate` requires a higher one). Such a state gets the next clock; its owner adopts that clock when
   * it receives its own state, so that all agree again.
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

  /** The new owner's state must follow: until then a client that has left is not counted among the departed. */
  #reclaim (known: Presence, claim: Claim): void {
    this.#departed.delete(known)
    known.claim = claim
  }

  #note (presence: Presence): void {
    this.#changed.add(presence)
    this.#version++
  }

  /**
   * y-websocket clients relay the states that they receive. Such an echo repeats a clock, and comes from a connection
   * that was open when its subject sent it or left. The owner itself, moving from another node, can have had a
   * connection too, but it sends a state of its own first.
   */
  #maySpeak (speaker: Speaker, known: Presence, clock: number, now: number): boolean {
    if (known.speaker === speaker) return true
    const isSame = known.claim.person === speaker.person
    const isRepeated = clock <= known.clock && speaker.joinedAt <= known.renewedAt
    const isEcho = isRepeated && (!isSame || this.#shares.has(speaker))
    return !isEcho && isOpenTo(speaker.person, known, now)
  }

  #hasRoom (speaker: Speaker, known: Presence | undefined, stateBytes: number, maxBytes: number): boolean {
    const { ids, bytes } = this.#shares.get(speaker) ?? { ids: 0, bytes: 0 }
    const isOwn = known?.speaker === speaker && known.state !== absentState
    const before = isOwn ? known.stateBytes : 0
    return (isOwn || ids < maxClientIdsPerConnection) && bytes - before + stateBytes <= maxBytes
  }

  /** Adds a presence to its connection's share, or removes it. */
  #count ({ speaker, stateBytes }: Presence, sign: 1 | -1): void {
    if (speaker === undefined) return
    const { ids, bytes } = this.#shares.get(speaker) ?? { ids: 0, bytes: 0 }
    if (ids + sign === 0) this.#shares.delete(speaker)
    else this.#shares.set(speaker, { ids: ids + sign, bytes: bytes + sign * stateBytes })
  }
}
