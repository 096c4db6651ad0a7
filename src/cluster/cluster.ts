import { everyone, newNodeId, type Bus, type NodeId, type OpenBus } from '../bus/bus.ts'
import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'
import type { OtherNodes, RoomMessage, SharedRoom } from '../sync/peers/other-nodes.ts'
import { AnsweredResets } from './answered-resets.ts'
import { decodeDatagram, encodeDatagram, type Datagram } from './datagram.ts'
import type { Entry } from './entry.ts'
import { Link } from './link.ts'
import { beatEveryMs, checkEveryMs, Liveness } from './liveness.ts'
import {
  decodeQuestion, encodeAnswer, encodeQuestion, type Answerer, type AnswerTo, type Question,
} from './question.ts'
import { Questions, type Answers, type MissedQuestion } from './questions.ts'
import { RecentWrites } from './recent-writes.ts'
import { isTurnOf, RoomDirectory, type OpenRoom } from './room-directory.ts'

/** This node, its bus, and how it answers the other nodes. */
export interface ClusterOptions {
  readonly openBus: OpenBus
  /** This node's name in logs and answers */
  readonly name: string
  readonly logger: Logger
  /** Engine time in ms, monotonic */
  readonly now: () => number
  /** Answers the questions of other nodes */
  readonly answerer: Answerer
  /** Whether there can be other nodes: then rooms are read from the store now and then, even if the bus is silent */
  readonly isShared: boolean
  /** ms between two batches of a link; the first one is sent at once */
  readonly batchMs?: number
}

/** ms that the other nodes have to answer a question. */
const answerTimeoutMs = 3000
/** ms between two reads of a room from the store: repairs whatever no known fault explains. */
const readEveryMs = 60_000
/** The same while other nodes may be alive and unreachable. */
const readEveryMsInDoubt = 4000
const defaultBatchMs = 30

/**
 * This node among the other nodes of the service: which of them are alive, which rooms they have open, and what was
 * lost on the way. The bus only carries bytes. Nothing here is needed for stored documents to be correct; it makes
 * their updates arrive soon.
 */
export class Cluster implements OtherNodes {
  readonly #options: ClusterOptions
  readonly #directory = new RoomDirectory()
  readonly #links = new Map<NodeId, Link>()
  readonly #questions: Questions
  readonly #answeredResets = new AnsweredResets()
  readonly #recentWrites = new RecentWrites(2 * readEveryMs)
  readonly #liveness: Liveness
  readonly #repetitions: Repetitions
  readonly #toFlush = new Set<Link>()
  #answerOpening: (name: string) => RoomMessage | undefined = () => undefined
  #bus: Bus | undefined
  #flushedAt = -Infinity
  #flushTimer: NodeJS.Timeout | undefined
  #timers: NodeJS.Timeout[] = []
  #openedAt = 0

  constructor (options: ClusterOptions) {
    this.#options = options
    this.#questions = new Questions(options.now)
    this.#liveness = new Liveness(options.now)
    this.#repetitions = new Repetitions(options.now)
  }

  /** Joins the other nodes. */
  async open (): Promise<void> {
    const { openBus, now } = this.#options
    this.#bus = await openBus(newNodeId(), {
      received: (from, message) => { this.#received(from, message) },
      restored: () => { this.#restartLinks() },
    })
    this.#openedAt = now()
    this.#liveness.heardSelf()
    this.#beat()
    const beating = setInterval(() => { this.#beat() }, beatEveryMs)
    this.#timers = [beating, setInterval(() => { this.#check() }, checkEveryMs)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Leaves the other nodes. To be called when everything is stored. */
  async close (): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#flushTimer)
    this.#flush()
    this.#send(everyone, { type: 'bye' })
    await this.#bus?.close()
  }

  /** This node's name in logs and answers */
  get name (): string { return this.#options.name }
  /** The other nodes that are alive, by name */
  get nodes (): readonly string[] { return [...this.#links.values()].map(({ name }) => name) }
  /** Whether this node receives its own messages over the bus; if not, it may be alone without knowing. */
  get isConnected (): boolean { return this.#liveness.isConnected }

  // ---- for rooms

  get readEveryMs (): number {
    if (!this.#options.isShared) return 0
    return this.#liveness.isInDoubt ? readEveryMsInDoubt : readEveryMs
  }

  opened (room: SharedRoom): void {
    const { number } = this.#directory.open(room)
    for (const link of this.#links.values()) this.#add(link, { type: 'opened', number, name: room.name })
  }

  closed (room: SharedRoom): void {
    for (const [link, to] of this.#directory.close(room)?.remoteNumbers ?? []) this.#add(link, { type: 'closed', to })
  }

  answerOpenings (answer: (name: string) => RoomMessage | undefined): void {
    this.#answerOpening = answer
  }

  isOpenElsewhere (room: SharedRoom): boolean {
    if (this.#links.size === 0) return false
    return (this.#directory.named(room.name)?.remoteNumbers.size ?? 0) > 0
  }

  send (room: SharedRoom, message: RoomMessage): void {
    const remoteNumbers = this.#directory.named(room.name)?.remoteNumbers ?? []
    for (const [link, to] of remoteNumbers) this.#add(link, { type: 'room', to, message })
  }

  wrote (name: string, seq: number): void {
    this.#recentWrites.add(name, seq, this.#options.now())
    for (const link of this.#links.values()) this.#add(link, { type: 'wrote', name, seq })
  }

  isTurn (name: string): boolean {
    const open = this.#directory.named(name)
    return open === undefined || this.#bus === undefined || isTurnOf(this.#bus.node, open)
  }

  // ---- questions

  /**
   * Asks all other nodes. A reset or a deletion is repeated to nodes that are unreachable or unknown now, once they are
   * reached.
   */
  async ask<Asked extends Question> (question: Asked): Promise<Answers<AnswerTo<Asked>>> {
    const send = (link: Link, id: number): void => { this.#ask(link, { id, question, ageMs: 0 }) }
    const { answers, silent: unanswered } =
      await this.#questions.ask(question, this.#links.values(), answerTimeoutMs, send)
    const incompatible = this.#liveness.incompatibleNodes.map((node) => `${node} (of another version)`)
    const silent = [...unanswered, ...incompatible]
    if (!this.#options.isShared || this.isConnected || silent.length > 0) return { answers, silent }
    return { answers, silent: ['all other nodes'] }
  }

  #ask (link: Link, { id, question, ageMs }: MissedQuestion): void {
    this.#add(link, { type: 'question', id, body: encodeQuestion({ question, ageMs }) })
  }

  #answer (from: NodeId, id: number, body: string): string {
    const { question, ageMs } = decodeQuestion(body)
    return encodeAnswer(this.#answerTo(from, id, question, ageMs))
  }

  #answerTo (from: NodeId, id: number, question: Question, ageMs: number): AnswerTo<Question> {
    const { now, answerer } = this.#options
    // This node has started after the question, so all its connections were authorised later.
    if (ageMs > now() - this.#openedAt) return undefined
    switch (question.type) {
      case 'reset': return this.#answeredResets.answer(from, id, () => answerer.reset(question.room, question.userId))
      case 'count': return answerer.count(question.room, question.sessionKey)
      case 'sizes': return answerer.sizes(question.rooms)
      case 'connections': return answerer.connections(question.room, question.after, question.limit)
      case 'delete': return answerer.delete(question.room, question.upTo)
    }
  }

  // ---- sending

  #send (to: NodeId | typeof everyone, datagram: Datagram): void {
    this.#bus?.send(to, encodeDatagram(datagram))
  }

  #add (link: Link, entry: Entry): void {
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

  /** Sends everything that the other node must know: it is new, or has missed a batch. */
  #restart (link: Link): void {
    link.restart()
    const rooms = [...this.#directory.all()].map(({ number, room: { name } }) => ({ number, name }))
    this.#add(link, { type: 'hello', rooms })
    for (const missed of this.#questions.missedBy(link.node)) this.#ask(link, missed)
    for (const open of this.#directory.sharedWith(link)) this.#introduce(link, open)
    for (const written of this.#recentWrites.at(this.#options.now())) this.#add(link, { type: 'wrote', ...written })
    this.#toFlush.add(link)
  }

  #introduce (link: Link, { room, remoteNumbers }: OpenRoom): void {
    const to = remoteNumbers.get(link)
    if (to === undefined) return
    for (const message of room.introduce()) this.#add(link, { type: 'room', to, message })
  }

  // ---- receiving

  #received (from: NodeId, bytes: Uint8Array): void {
    try {
      const datagram = decodeDatagram(bytes)
      if (datagram === undefined) return this.#receivedIncompatible(from)
      if (from === this.#bus?.node) this.#receivedOwn()
      else this.#process(from, datagram)
    } catch (error) {
      this.#receivedMalformed(from, error)
    }
  }

  #receivedMalformed (node: NodeId, err: unknown): void {
    const link = this.#links.get(node)
    // A restart that was requested already is requested again now and then.
    if (link?.isComplete === true) link.requestRestart()
    // A node that sends malformed messages can send thousands.
    const news = this.#repetitions.next('malformed')
    const details = { err, node: link?.name ?? node, ...news }
    if (news !== undefined) this.#options.logger.error(details, 'Failed to read a message of another node')
  }

  #receivedIncompatible (node: NodeId): void {
    if (!this.#liveness.heardIncompatible(node)) return
    const event = 'Found a node of another version; its updates are read from the store, and resets and counts name it as silent'
    this.#options.logger.warn({ node }, event)
  }

  #receivedOwn (): void {
    if (this.#liveness.heardSelf()) this.#restartLinks()
  }

  #process (from: NodeId, datagram: Datagram): void {
    if (datagram.type === 'bye') return this.#drop(from, true)
    const link = this.#links.get(from) ?? this.#meet(from)
    link.heard(this.#options.now())
    switch (datagram.type) {
      case 'beat':
        if (link.name === from) this.#options.logger.info({ node: datagram.name }, 'Found another node')
        link.named(datagram.name)
        break
      case 'again':
        this.#restart(link)
        break
      default:
        this.#processEntries(link, link.receive(datagram))
    }
  }

  #meet (node: NodeId): Link {
    const link = new Link(node, this.#options.now(), (datagram) => { this.#bus?.send(node, datagram) })
    this.#links.set(node, link)
    this.#restart(link)
    return link
  }

  #processEntries (link: Link, entries: Iterable<Entry> | undefined): void {
    if (entries === undefined) {
      // What follows a missing batch is ignored until the link has been restarted.
      if (link.isComplete) link.requestRestart()
      return
    }
    for (const entry of entries) {
      try {
        this.#processEntry(link, entry)
      } catch (error) {
        this.#receivedMalformed(link.node, error)
        // Later entries can report as stored what the room has missed now.
        if (entry.type === 'room') this.#directory.numbered(entry.to)?.room.mustReadStore()
      }
    }
  }

  #processEntry (link: Link, entry: Entry): void {
    switch (entry.type) {
      case 'room':
        this.#directory.numbered(entry.to)?.room.received(link.node, entry.message)
        break
      case 'closed':
        this.#unshare(link, this.#directory.numbered(entry.to), true)
        break
      case 'opened':
        this.#processOpened(link, entry)
        break
      case 'hello':
        this.#processHello(link, entry.rooms)
        break
      case 'wrote':
        this.#directory.named(entry.name)?.room.mustHave(entry.seq)
        break
      case 'question':
        this.#add(link, { type: 'answer', id: entry.id, body: this.#answer(link.node, entry.id, entry.body) })
        break
      case 'answer':
        this.#questions.answered(link, entry.id, entry.body)
        break
    }
  }

  #processOpened (link: Link, { number, name }: { readonly number: number, readonly name: string }): void {
    const open = this.#directory.named(name)
    if (open === undefined) return this.#sendDeparted(link, number, name)
    // This entry only confirms the one of this node.
    if (open.remoteNumbers.get(link) === number) return
    this.#directory.share(name, link, number)
    this.#add(link, { type: 'opened', number: open.number, name })
    this.#introduce(link, open)
  }

  #sendDeparted (link: Link, to: number, name: string): void {
    const message = this.#answerOpening(name)
    if (message !== undefined) this.#add(link, { type: 'room', to, message })
  }

  #processHello (link: Link, rooms: ReadonlyArray<{ readonly number: number, readonly name: string }>): void {
    const names = new Set(rooms.map(({ name }) => name))
    for (const open of this.#directory.sharedWith(link)) {
      if (!names.has(open.room.name)) this.#unshare(link, open, false)
    }
    for (const { number, name } of rooms) {
      const open = this.#directory.named(name)
      if (open === undefined) this.#sendDeparted(link, number, name)
      else {
        this.#directory.share(name, link, number)
        this.#introduce(link, open)
      }
    }
  }

  #unshare (link: Link, open: OpenRoom | undefined, isOrderly: boolean): void {
    if (open !== undefined && this.#directory.unshare(open.room.name, link)) open.room.left(link.node, isOrderly)
  }

  // ---- which nodes are alive

  #beat (): void {
    this.#send(everyone, { type: 'beat', name: this.#options.name })
    for (const link of this.#links.values()) link.mark()
  }

  #check (): void {
    for (const { node } of this.#liveness.check(this.#links.values())) this.#drop(node, false)
    for (const link of this.#links.values()) if (!link.isComplete) link.requestRestart()
  }

  /** This node was cut off: the other nodes may have dropped it, and it may have missed anything. */
  #restartLinks (): void {
    this.#options.logger.warn({}, 'Lost the connection to the other nodes for a while; reading all open rooms from the store')
    this.#beat()
    for (const link of this.#links.values()) {
      this.#restart(link)
      link.requestRestart()
    }
    for (const { room } of this.#directory.all()) room.mustReadStore()
  }

  #drop (node: NodeId, isOrderly: boolean): void {
    const link = this.#links.get(node)
    if (link === undefined) return
    this.#links.delete(node)
    this.#toFlush.delete(link)
    for (const open of this.#directory.sharedWith(link)) this.#unshare(link, open, isOrderly)
    if (isOrderly) {
      this.#questions.left(link)
      this.#options.logger.info({ node: link.name }, 'Another node has stopped')
      return
    }
    this.#options.logger.warn({ node: link.name }, 'Another node is silent and counts as crashed')
  }
}
