import { everyone, newNodeId, type Bus, type NodeId, type OpenBus } from '../bus/bus.ts'
import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'
import type { Neighbours, RoomMessage, SharedRoom } from '../sync/peers/other-nodes.ts'
import { AnsweredResets } from './answered-resets.ts'
import { decodeDatagram, encodeDatagram, type Datagram } from './datagram.ts'
import type { Entry } from './entry.ts'
import { Link } from './link.ts'
import { Questions, type Answers, type Missed, type Question } from './questions.ts'
import { isTurnOf, RoomDirectory, type HeldRoom } from './room-directory.ts'

export interface ClusterOptions {
  readonly openBus: OpenBus
  /** What people call this node */
  readonly name: string
  readonly logger: Logger
  /** Engine time in ms, monotonic */
  readonly now: () => number
  /** How this node answers the others; JSON. */
  readonly answer: (question: Question) => unknown
  /** Whether there can be other nodes: then rooms are read from the store now and then, whatever the bus says */
  readonly isShared: boolean
  /** Gathering time of a batch in ms, when batches follow each other; the first goes at once */
  readonly batchMs?: number
}

/** Each node says this often that it lives. */
const beatEveryMs = 2000
/** A node that was not heard for this long is gone: three beats, and something for the way. Noticed within `lookEveryMs` more. */
const goneAfterMs = 7000
const lookEveryMs = 1000
/** How long the other nodes have to answer. */
const answerTimeoutMs = 3000
/** All rooms are read from the store this often: what no fault that was thought of explains heals by itself. */
const readEveryMs = 60_000
/** The same while other nodes may be alive and unheard: this one is cut off, or another has vanished. */
const readEveryMsInDoubt = 4000
const doubtAfterVanishedMs = 5 * 60_000
/** More delay than this of the timer that looks after the nodes: the process was stopped, not the others. */
const frozenMs = 2000
const defaultBatchMs = 30
/** Nodes of another version are counted up to so many. */
const maxStrangers = 1000

/**
 * This node among the others. Who lives, who holds which room, and what is lost on the way is all told apart here; the bus
 * only carries. Nothing here is needed for what is stored to be right: it is about hearing of it soon.
 */
export class Cluster implements Neighbours {
  readonly #options: ClusterOptions
  readonly #directory = new RoomDirectory()
  readonly #links = new Map<NodeId, Link>()
  readonly #questions: Questions
  readonly #answeredResets = new AnsweredResets()
  /** Nodes of another version, and when they were heard last (engine time in ms): they live, and nothing can be asked of them */
  readonly #strangers = new Map<NodeId, number>()
  readonly #toFlush = new Set<Link>()
  #answerOpening: (name: string) => RoomMessage | undefined = () => undefined
  #bus: Bus | undefined
  #flushedAt = -Infinity
  #flushTimer: NodeJS.Timeout | undefined
  #timers: NodeJS.Timeout[] = []
  #openedAt = 0
  #heardSelfAt = 0
  #lookedAt = 0
  #doubtUntil = -Infinity
  readonly #repetitions: Repetitions

  constructor (options: ClusterOptions) {
    this.#options = options
    this.#questions = new Questions(options.now)
    this.#repetitions = new Repetitions(options.now)
  }

  /** Begins to take part. */
  async open (): Promise<void> {
    const { openBus, now } = this.#options
    this.#bus = await openBus(newNodeId(), {
      received: (from, message) => { this.#received(from, message) },
      restored: () => { this.#beginAnew() },
    })
    this.#openedAt = this.#heardSelfAt = this.#lookedAt = now()
    this.#beat()
    this.#timers = [setInterval(() => { this.#beat() }, beatEveryMs), setInterval(() => { this.#look() }, lookEveryMs)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Says goodbye. To be called when everything is stored. */
  async close (): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#flushTimer)
    this.#flush()
    this.#send(everyone, { type: 'bye' })
    await this.#bus?.close()
  }

  /** This node's name. */
  get name (): string { return this.#options.name }
  /** The other nodes that live, by name. */
  get nodes (): readonly string[] { return [...this.#links.values()].map(({ name }) => name) }

  /** Whether this node hears itself over the bus; where it does not, it may be alone without knowing. */
  get isConnected (): boolean { return this.#options.now() - this.#heardSelfAt < beatEveryMs * 2.5 }

  // ---- for rooms

  get readEveryMs (): number {
    if (!this.#options.isShared) return 0
    const inDoubt = !this.isConnected || this.#strangers.size > 0 || this.#options.now() < this.#doubtUntil
    return inDoubt ? readEveryMsInDoubt : readEveryMs
  }

  opened (room: SharedRoom): void {
    const { number } = this.#directory.open(room)
    for (const link of this.#links.values()) this.#say(link, { type: 'opened', number, name: room.name })
  }

  closed (room: SharedRoom): void {
    for (const [link, to] of this.#directory.close(room)?.holders ?? []) this.#say(link, { type: 'closed', to })
  }

  answerOpenings (answer: (name: string) => RoomMessage | undefined): void {
    this.#answerOpening = answer
  }

  areIn (room: SharedRoom): boolean {
    if (this.#links.size === 0) return false
    return (this.#directory.named(room.name)?.holders.size ?? 0) > 0
  }

  tell (room: SharedRoom, message: RoomMessage): void {
    for (const [link, to] of this.#directory.named(room.name)?.holders ?? []) this.#say(link, { type: 'room', to, message })
  }

  isTurn (name: string): boolean {
    const held = this.#directory.named(name)
    return held === undefined || this.#bus === undefined || isTurnOf(this.#bus.node, held)
  }

  // ---- for routes

  /** Asks all other nodes. A reset is repeated to those who could not be reached, or were not known, when they are heard. */
  async ask (question: Question): Promise<Answers> {
    const ask = this.#questions.ask(question, this.#links.values(), answerTimeoutMs, (link, id) => { this.#ask(link, { id, question, ageMs: 0 }) })
    const { answers, silent: unanswered } = await ask
    const silent = [...unanswered, ...[...this.#strangers.keys()].map((node) => `${node} (of another version)`)]
    if (!this.#options.isShared || this.isConnected || silent.length > 0) return { answers, silent }
    return { answers, silent: ['all other nodes'] }
  }

  #ask (link: Link, { id, question, ageMs }: Missed): void {
    this.#say(link, { type: 'question', id, body: JSON.stringify({ ...question, ageMs }) })
  }

  /** A question from before this node began is about none of its connections: each was judged later. */
  #answer (from: NodeId, id: number, body: string): unknown {
    const { ageMs = 0, ...question } = JSON.parse(body) as Question & { readonly ageMs?: number } // nodes that understand each other ask such questions
    if (ageMs > this.#options.now() - this.#openedAt) return undefined
    const answer = (): unknown => this.#options.answer(question)
    return question.type === 'reset' ? this.#answeredResets.answer(from, id, answer) : answer()
  }

  // ---- sending

  #send (to: NodeId | typeof everyone, datagram: Datagram): void {
    this.#bus?.send(to, encodeDatagram(datagram))
  }

  #say (link: Link, entry: Entry): void {
    if (!link.add(entry)) return
    this.#toFlush.add(link)
    if (this.#flushTimer !== undefined) return
    const { now, batchMs = defaultBatchMs } = this.#options
    const waitMs = this.#flushedAt + batchMs - now()
    // Not in this turn of the event loop: the rooms that tick in it share a batch.
    this.#flushTimer = setTimeout(() => { this.#flush() }, Math.max(0, waitMs))
  }

  #flush (): void {
    this.#flushTimer = undefined
    this.#flushedAt = this.#options.now()
    for (const link of this.#toFlush) link.flush()
    this.#toFlush.clear()
  }

  /** Says all that the other node must know: it has just come, or has missed something. */
  #begin (link: Link): void {
    link.begin()
    const rooms = [...this.#directory.all()].map(({ number, room: { name } }) => ({ number, name }))
    this.#say(link, { type: 'hello', rooms })
    for (const missed of this.#questions.missedBy(link.node)) this.#ask(link, missed)
    for (const held of this.#directory.sharedWith(link)) this.#greet(link, held)
    this.#toFlush.add(link)
  }

  #greet (link: Link, { room, holders }: HeldRoom): void {
    const to = holders.get(link)
    if (to === undefined) return
    for (const message of room.greet()) this.#say(link, { type: 'room', to, message })
  }

  // ---- hearing

  #received (from: NodeId, bytes: Uint8Array): void {
    try {
      const datagram = decodeDatagram(bytes)
      if (datagram === undefined) return this.#heardStranger(from)
      if (from === this.#bus?.node) this.#heardSelf()
      else this.#heard(from, datagram)
    } catch (error) {
      this.#heardNonsense(from, error)
    }
  }

  #heardNonsense (node: NodeId, err: unknown): void {
    const link = this.#links.get(node)
    // Who is not followed is asked now and then.
    if (link?.isFollowed === true) link.askAgain()
    // Whoever sends such things may send thousands.
    const news = this.#repetitions.next('unreadable')
    if (news !== undefined) this.#options.logger.error({ err, node: link?.name ?? node, ...news }, 'Another node has sent what cannot be read')
  }

  #heardStranger (node: NodeId): void {
    if (!this.#strangers.has(node)) {
      if (this.#strangers.size >= maxStrangers) return
      this.#options.logger.warn({ node }, 'A node of another version is here; what its people do is read from the store, and resets and counts name it as silent')
    }
    this.#strangers.set(node, this.#options.now())
  }

  #heardSelf (): void {
    const wasCut = this.#options.now() - this.#heardSelfAt > goneAfterMs
    this.#heardSelfAt = this.#options.now()
    if (wasCut) this.#beginAnew()
  }

  #heard (from: NodeId, datagram: Datagram): void {
    if (datagram.type === 'bye') return this.#drop(from, true)
    let link = this.#links.get(from)
    if (link === undefined) link = this.#meet(from)
    link.heardAt = this.#options.now()
    switch (datagram.type) {
      case 'beat':
        if (link.name === from) this.#options.logger.info({ node: datagram.name }, 'Another node is here')
        link.name = datagram.name
        break
      case 'again':
        this.#begin(link)
        break
      default:
        this.#take(link, link.receive(datagram))
    }
  }

  #meet (node: NodeId): Link {
    const link = new Link(node, this.#options.now(), (datagram) => { this.#bus?.send(node, datagram) })
    this.#links.set(node, link)
    this.#begin(link)
    return link
  }

  #take (link: Link, entries: Iterable<Entry> | undefined): void {
    if (entries === undefined) {
      // What comes behind a gap counts for nothing until the other has begun anew, and then says what is stored.
      if (link.isFollowed) link.askAgain()
      return
    }
    for (const entry of entries) {
      try {
        this.#hear(link, entry)
      } catch (error) {
        this.#heardNonsense(link.node, error)
        // What comes behind it may call stored what the room has missed now.
        if (entry.type === 'room') this.#directory.numbered(entry.to)?.room.fallBehind()
      }
    }
  }

  #hear (link: Link, entry: Entry): void {
    switch (entry.type) {
      case 'room':
        this.#directory.numbered(entry.to)?.room.heard(link.node, entry.message)
        break
      case 'closed':
        this.#hearLeft(link, this.#directory.numbered(entry.to), true)
        break
      case 'opened':
        this.#hearOpened(link, entry)
        break
      case 'hello':
        this.#hearHello(link, entry.rooms)
        break
      case 'question':
        this.#say(link, { type: 'answer', id: entry.id, body: JSON.stringify(this.#answer(link.node, entry.id, entry.body) ?? null) })
        break
      case 'answer':
        this.#questions.answered(link, entry.id, JSON.parse(entry.body))
        break
    }
  }

  #hearOpened (link: Link, { number, name }: { readonly number: number, readonly name: string }): void {
    const held = this.#directory.named(name)
    if (held === undefined) return this.#sayWhoLeft(link, number, name)
    // The second time it is the answer to what was said here.
    if (held.holders.get(link) === number) return
    held.holders.set(link, number)
    this.#say(link, { type: 'opened', number: held.number, name })
    this.#greet(link, held)
  }

  #sayWhoLeft (link: Link, to: number, name: string): void {
    const message = this.#answerOpening(name)
    if (message !== undefined) this.#say(link, { type: 'room', to, message })
  }

  #hearHello (link: Link, rooms: ReadonlyArray<{ readonly number: number, readonly name: string }>): void {
    const names = new Set(rooms.map(({ name }) => name))
    for (const held of this.#directory.sharedWith(link)) {
      if (!names.has(held.room.name)) this.#hearLeft(link, held, false)
    }
    for (const { number, name } of rooms) {
      const held = this.#directory.named(name)
      if (held === undefined) this.#sayWhoLeft(link, number, name)
      else {
        held.holders.set(link, number)
        this.#greet(link, held)
      }
    }
  }

  #hearLeft (link: Link, held: HeldRoom | undefined, isOrderly: boolean): void {
    if (held?.holders.delete(link) === true) held.room.left(link.node, isOrderly)
  }

  // ---- who lives

  #beat (): void {
    this.#send(everyone, { type: 'beat', name: this.#options.name })
    for (const link of this.#links.values()) link.mark()
  }

  #look (): void {
    const now = this.#options.now()
    const lateMs = now - this.#lookedAt - lookEveryMs
    this.#lookedAt = now
    for (const link of this.#links.values()) {
      // It was this process that stood still: what the others said meanwhile waits to be read.
      if (lateMs > frozenMs) link.heardAt += lateMs
      if (now - link.heardAt > goneAfterMs) this.#drop(link.node, false)
      else if (!link.isFollowed) link.askAgain()
    }
    for (const [node, heardAt] of this.#strangers) if (now - heardAt > goneAfterMs) this.#strangers.delete(node)
  }

  /** This node was cut off: the others may have given it up, and it may have missed anything. */
  #beginAnew (): void {
    this.#options.logger.warn({}, 'The way to the other nodes was interrupted; all open rooms are read from the store')
    this.#beat()
    for (const link of this.#links.values()) {
      this.#begin(link)
      link.askAgain()
    }
    for (const { room } of this.#directory.all()) room.fallBehind()
  }

  #drop (node: NodeId, isOrderly: boolean): void {
    const link = this.#links.get(node)
    if (link === undefined) return
    this.#links.delete(node)
    this.#toFlush.delete(link)
    for (const held of this.#directory.sharedWith(link)) this.#hearLeft(link, held, isOrderly)
    if (isOrderly) {
      this.#questions.left(link)
      this.#options.logger.info({ node: link.name }, 'Another node has left')
      return
    }
    this.#options.logger.warn({ node: link.name }, 'Another node is silent and counts as gone')
    this.#doubtUntil = this.#options.now() + doubtAfterVanishedMs
  }
}
