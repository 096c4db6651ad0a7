import type { NodeId } from '../../bus/bus.ts'
import { absentState, type AwarenessEntry, type EncodedEntry } from '../../protocol/awareness.ts'
import { isOpenTo, rememberLeftMs, replaces, type Claim, type Claimed } from './claim.ts'
import { Departed } from './departed.ts'
import { maxClientIdsPerConnection } from '../limits.ts'
import type { SharedPresence } from '../peers/other-nodes.ts'

/** A connection of this node that sends states for client ids. */
export interface StateSender {
  /** See `personOf` */
  readonly person: string
  /** Engine time in ms */
  readonly joinedAt: number
}

/** A client that is present, or has left and is still remembered. */
export interface Presence extends AwarenessEntry, Claimed {
  readonly clientId: number
  readonly clock: number
  /** The clock in its owner's last state; `clock` is ahead of it after a return with an old one */
  readonly sentClock: number
  readonly state: string
  /** Length of `state` in UTF-8; counted for connections of this node only */
  readonly stateBytes: number
  readonly claim: Claim
  /** The other node that its owner was connected to last; undefined: this node */
  readonly node: NodeId | undefined
  /** The connection of this node that sent its last state, while it is open */
  readonly sender: StateSender | undefined
  readonly renewedAt: number
}

/** A presence, writable for the table only. */
type Entry = { -readonly [Key in keyof Presence]: Presence[Key] }

/** A state of a client, and where it came from. */
interface ReceivedState {
  readonly clock: number
  readonly state: string
  readonly stateBytes: number
  readonly sender: StateSender | undefined
  readonly node: NodeId | undefined
}

/** Higher clocks are dropped. No client counts that far, and additions stay exact: clients throw above 2^53. */
const maxClock = 2 ** 48

/** Who is present in a room. Presence is never stored. Each client id has an owner, by the rules of claim.ts. */
export class AwarenessTable {
  readonly #presences = new Map<number, Entry>()
  readonly #changed = new Set<Entry>()
  readonly #departed = new Departed<Entry>()
  /** What each connection of this node has in the table: how many client ids, and the bytes of their states */
  readonly #shares = new Map<StateSender, { ids: number, bytes: number }>()
  readonly #wallNow: () => number
  #version = 0

  /** @param wallNow ms since the epoch */
  constructor (wallNow: () => number = Date.now) {
    this.#wallNow = wallNow
  }

  /** Restores the clients that left the room before it was closed and opened again. */
  recall (departed: readonly Presence[]): void {
    for (const presence of departed) {
      const entry = { ...presence }
      this.#presences.set(entry.clientId, entry)
      this.#remember(entry)
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
  apply (entries: Iterable<EncodedEntry>, sender: StateSender, maxBytes: number, now: number): number {
    let dropped = 0
    for (const entry of entries) if (!this.#apply(entry, sender, maxBytes, now)) dropped++
    return dropped
  }

  #apply (entry: EncodedEntry, sender: StateSender, maxBytes: number, now: number): boolean {
    const { clientId, clock, stateBytes, isAbsent } = entry
    const known = this.#presences.get(clientId)
    if (known === undefined && isAbsent) return true
    if (clock > maxClock || (known !== undefined && !this.#accepts(sender, known, clock, now))) return false
    if (isAbsent) {
      if (known !== undefined) this.#clientLeft(known, clock, now)
      return true
    }
    if (!this.#hasRoom(sender, known, stateBytes, maxBytes)) return false
    const received: ReceivedState = { clock, state: entry.readState(), stateBytes, sender, node: undefined }
    if (known === undefined) {
      this.#add(clientId, { person: sender.person, since: this.#wallNow() }, received, now)
      return true
    }
    if (known.claim.person !== sender.person) {
      const since = known.sender === sender ? known.claim.since : this.#wallNow()
      this.#reclaim(known, { person: sender.person, since })
    }
    this.#update(known, received, now)
    return true
  }

  /** Applies what another node has sent of the clients that are connected to it, and of those that have left. */
  applyRemote (node: NodeId, entries: readonly SharedPresence[], now: number): void {
    for (const entry of entries) this.#applyRemote(node, entry, now)
  }

  #applyRemote (node: NodeId, { clientId, clock, state, person, since, leftMs }: SharedPresence, now: number): void {
    const known = this.#presences.get(clientId)
    const isPresent = state !== absentState
    const claim = { person, since }
    const received: ReceivedState = { clock, state, stateBytes: 0, sender: undefined, node }
    if (!isPresent && leftMs >= rememberLeftMs) return
    if (known === undefined) return this.#add(clientId, claim, received, now - leftMs)
    const isSame = known.claim.person === person
    if (isSame && since < known.claim.since) known.claim = claim
    else if (!isSame) {
      if (!replaces(claim, isPresent, known, now)) return
      this.#reclaim(known, claim)
    }
    if (isPresent) this.#update(known, received, now)
    // A person who has moved to another node is present there: a report by the former node that they left is late.
    else if (!isSame || known.node === node) this.#clientLeft(known, clock, now - leftMs)
    // The connection that sent its states until now no longer owns it.
    if (!isSame) known.sender = undefined
  }

  /** Removes the clients of a connection that has ended. @returns whether there were any */
  leave (sender: StateSender, now: number): boolean {
    const any = this.#removeWhere((presence) => presence.sender === sender, now)
    for (const presence of this.#presences.values()) if (presence.sender === sender) presence.sender = undefined
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

  #add (clientId: number, claim: Claim, { clock, ...received }: ReceivedState, renewedAt: number): void {
    const presence: Entry = { clientId, clock, sentClock: clock, claim, ...received, renewedAt }
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
  #update (known: Entry, { clock, state, stateBytes, sender, node }: ReceivedState, now: number): void {
    const isNews = clock > known.sentClock || state !== known.state
    const hasMoved = node !== known.node
    const wasPresent = known.state !== absentState
    const isCounted = wasPresent && known.sender === sender && known.stateBytes === stateBytes
    if (!wasPresent) this.#departed.delete(known)
    else if (!isCounted) this.#count(known, -1)
    if (isNews) known.clock = Math.max(clock, known.clock + 1)
    known.sentClock = clock
    known.state = state
    known.stateBytes = stateBytes
    known.sender = sender
    known.node = node
    known.renewedAt = now
    if (!isCounted) this.#count(known, 1)
    if (isNews || hasMoved) this.#note(known)
  }

  #clientLeft (known: Entry, clock: number, leftAt: number): void {
    known.clock = Math.max(known.clock, clock)
    if (known.state !== absentState) return this.#remove(known, leftAt)
    this.#departed.delete(known)
    this.#remember(known)
  }

  #removeWhere (isGone: (presence: Entry) => boolean, now: number): boolean {
    let any = false
    for (const presence of this.#presences.values()) {
      if (presence.state === absentState || !isGone(presence)) continue
      this.#remove(presence, now)
      any = true
    }
    return any
  }

  #remove (presence: Entry, leftAt: number): void {
    this.#count(presence, -1)
    presence.state = absentState
    presence.renewedAt = leftAt
    this.#note(presence)
    this.#remember(presence)
  }

  #remember (presence: Entry): void {
    const pushedOut = this.#departed.add(presence)
    if (pushedOut !== undefined) this.#forget(pushedOut)
  }

  #forget (presence: Entry): void {
    this.#departed.delete(presence)
    this.#presences.delete(presence.clientId)
    this.#version++
  }

  /** The new owner's state must follow: until then a client that has left is not counted among the departed. */
  #reclaim (known: Entry, claim: Claim): void {
    this.#departed.delete(known)
    known.claim = claim
  }

  #note (presence: Entry): void {
    this.#changed.add(presence)
    this.#version++
  }

  /**
   * y-websocket clients relay the states that they receive. Such an echo repeats a clock, and comes from a connection
   * that was open when its subject sent it or left. The owner itself, moving from another node, can have had a
   * connection too, but it sends a state of its own first.
   */
  #accepts (sender: StateSender, known: Entry, clock: number, now: number): boolean {
    if (known.sender === sender) return true
    const isSame = known.claim.person === sender.person
    const isRepeated = clock <= known.clock && sender.joinedAt <= known.renewedAt
    const isEcho = isRepeated && (!isSame || this.#shares.has(sender))
    return !isEcho && isOpenTo(sender.person, known, now)
  }

  #hasRoom (sender: StateSender, known: Entry | undefined, stateBytes: number, maxBytes: number): boolean {
    const { ids, bytes } = this.#shares.get(sender) ?? { ids: 0, bytes: 0 }
    const isOwn = known?.sender === sender && known.state !== absentState
    const before = isOwn ? known.stateBytes : 0
    return (isOwn || ids < maxClientIdsPerConnection) && bytes - before + stateBytes <= maxBytes
  }

  /** Adds a presence to its connection's share, or removes it. */
  #count ({ sender, stateBytes }: Presence, sign: 1 | -1): void {
    if (sender === undefined) return
    const { ids, bytes } = this.#shares.get(sender) ?? { ids: 0, bytes: 0 }
    if (ids + sign === 0) this.#shares.delete(sender)
    else this.#shares.set(sender, { ids: ids + sign, bytes: bytes + sign * stateBytes })
  }
}
