import { closes } from '../../protocol/close-codes.ts'
import { encodeSyncStep2 } from '../../protocol/encode-message.ts'
import { DamagedDocument } from '../../store/store.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { countStateVector } from '../../update/state-vector.ts'
import type { Connection } from '../connection.ts'
import type { RoomContent } from '../content.ts'
import { manyParts, pieceBytes } from '../limits.ts'
import { nobody, type PresenceMessages } from '../presence/presence-messages.ts'
import { maxRestarts, SnapshotReplaced, storedBytes } from '../save/stored-documents.ts'
import type { Services } from '../services.ts'
import { inPieces } from '../in-pieces.ts'
import { canWrite, sendDifference, sendWhole, type SendingServices } from './send-stored.ts'

/** The services that bring a client up to date. */
export type CatchUpServices =
  SendingServices & Pick<Services, 'differences' | 'compactor' | 'logger' | 'outages' | 'now'>

/** How a connection gets from what its client has to what the room has. */
interface Task {
  /** Index of the first recent update that the client may lack; undefined: the stored state is to be sent first */
  readonly from: number | undefined
  /** State vector: the client has at least this */
  has: Uint8Array
  /** Whether the client has sent a step 1 and waits for the step 2 */
  readonly isAnswer: boolean
}

/** Bytes up to which a document is sent whole to a client that lacks a part: computing the part would cost more. */
const sendWholeBytes = 64 * 1024

/** Bytes of an answer that cost the service about as much as one part of a question (see PartsBudget). */
const bytesForEachPart = 64
/** Bytes of a deletion in an answer, about: two clocks */
const bytesForEachRange = 5
/** Parts that a query for presence is charged: it takes the event loop about 14 µs, even if nobody is present. */
const partsForEachQuery = 10
/**
 * Clients up to which a reader's missing structs are looked for in memory, which holds what a few have just written.
 */
const maxLackedInMemory = 1000

/**
 * Bytes of a state vector that can be kept while its client reads, about 1,000 clients. A client with a longer one that
 * is needed again is sent the whole document.
 */
const maxKeptStateVectorBytes = 8 * 1024
/** The state vector of a client that has nothing */
const hasNothing = Uint8Array.of(0)

/** A step 2 without content: a client that has received everything calls itself synced. */
const endOfSync = encodeSyncStep2(Uint8Array.of(0, 0))

/** Brings the clients of one room up to date, while the room keeps working. */
export class CatchUp {
  readonly #content: RoomContent
  readonly #presence: PresenceMessages
  readonly #services: CatchUpServices

  constructor (content: RoomContent, presence: PresenceMessages, services: CatchUpServices) {
    this.#content = content
    this.#presence = presence
    this.#services = services
  }

  /** Sends what begins the initial sync: at once or, if that is much, in several turns of the event loop. */
  begin (connection: Connection, messages: readonly Uint8Array[]): void {
    if (fitAtOnce(messages)) return connection.write(messages)
    const { progress } = connection
    progress.startInitialSync()
    this.#inBackground(connection, async () => {
      const isOpen = await this.#sendBitByBit(connection, messages) && await this.#sendOwedAwareness(connection)
      progress.endInitialSync()
      if (isOpen) this.#answerWaiting(connection)
    })
  }

  /** Answers a client that queries who is present. */
  sendPresence (connection: Connection): void {
    const { phase, progress, socket } = connection
    const present = this.#presence.present()
    if (!connection.spend(present.length + partsForEachQuery, this.#services.now())) return
    // A client that keeps asking without reading would grow the send buffer without bound.
    if (socket.isFull) connection.end(closes.tooSlow)
    else if (fitAtOnce(present)) connection.send(present.length > 0 ? present : [nobody])
    else if (progress.isInitialSync || phase === 'catching-up') progress.oweAwareness()
    else if (phase === 'joining') this.begin(connection, present)
    else {
      const { recent, known } = this.#content
      progress.oweAwareness()
      this.#start(connection, { from: recent.lastIndex + 1, has: known.encodeStateVector(), isAnswer: false })
    }
  }

  /** Answers a client's step 1: at once if memory holds everything that the client lacks, else in several turns. */
  answer (connection: Connection, stateVector: Uint8Array): void {
    if (connection.phase === 'catching-up' || connection.progress.isInitialSync) {
      connection.progress.keepStateVector(keepable(stateVector))
      return
    }
    let lacked: ReadonlyMap<number, number> | undefined
    try {
      if (!connection.spend(this.#partsOf(stateVector), this.#services.now())) return
      lacked = this.#content.known.lackedBy(stateVector, maxLackedInMemory)
    } catch {
      connection.end(closes.malformed)
      return
    }
    const from = connection.socket.isFull ? undefined : this.#firstLacking(lacked)
    const answer = from === undefined ? undefined : this.#answerFromMemory(from)
    if (answer === undefined || !fitAtOnce(answer)) {
      this.#start(connection, { from, has: stateVector, isAnswer: true })
      return
    }
    connection.goLive()
    connection.send([...answer, ...connection.protocol.afterAnswer(this.#step1)])
  }

  /**
   * A full socket gets nothing more until it has drained, and then everything that it has missed at once.
   * @param missed how many of the room's newest updates the client was not sent
   */
  fallBehind (connection: Connection, missed: number): void {
    const { known, recent } = this.#content
    // If missed updates leave memory before the socket drains, the client is sent the whole document: the room's state
    // vector would claim that it has them.
    const has = missed === 0 ? known.encodeStateVector() : hasNothing
    this.#start(connection, { from: recent.lastIndex + 1 - missed, has, isAnswer: false })
  }

  readonly #step1 = (): Uint8Array => this.#content.messages.step1()

  #partsOf (stateVector: Uint8Array): number {
    return countStateVector(stateVector) + this.#content.known.deleteRanges * bytesForEachRange / bytesForEachPart
  }

  /** Index of the first recent update that a reader can lack; undefined if memory does not hold all that it lacks. */
  #firstLacking (lacked: ReadonlyMap<number, number> | undefined): number | undefined {
    const { recent, known } = this.#content
    if (lacked === undefined) return undefined
    if (lacked.size === 0) return recent.lastIndex + 1
    if (known.hasGaps || !this.#content.holdsInMemory(lacked)) return undefined
    return recent.lastIndex + 1 - recent.all.length
  }

  /** The step 2 carries the delete set, so that a client which lacks nothing else gets a single message. */
  #answerFromMemory (from: number): Uint8Array[] | undefined {
    const { recent, known } = this.#content
    if (known.deleteRanges > manyParts) return undefined
    const newer = recent.since(from) ?? []
    return [...newer.map(({ message }) => message), encodeSyncStep2(known.encodeDeleteSetUpdate())]
  }

  // ---- in several turns of the event loop

  #start (connection: Connection, task: Task): void {
    connection.startCatchUp()
    this.#inBackground(connection, () => this.#run(connection, task))
  }

  /** The content keeps what clients that catch up will need. Never rejects. */
  #inBackground (connection: Connection, work: () => Promise<void>): void {
    this.#content.startStreaming()
    work()
      .catch((error: unknown) => { this.#failed(connection, error) })
      .finally(() => { this.#content.stopStreaming() })
  }

  async #run (connection: Connection, task: Task): Promise<void> {
    const { recent, messages } = this.#content
    let next = task.from ?? await this.#sendStored(connection, task)
    task.has = keepable(task.has)
    // The stored document comes with its deletions; updates in memory may lack those that came before them.
    let owesDeletions = task.from !== undefined && task.isAnswer
    while (await canWrite(this.#services, connection)) {
      const rest = recent.since(next)
      if (rest === undefined) {
        // It took so long that only the store still has what is missing.
        next = await this.#sendStored(connection, task)
      } else if (rest.length > 0) {
        const [piece = []] = inPieces(rest, ({ update }) => update.length)
        connection.write(piece.map(({ message }) => message))
        next += piece.length
      } else if (owesDeletions) {
        owesDeletions = false
        await this.#sendBitByBit(connection, await messages.deletions())
      } else if (connection.progress.owesAwareness) {
        await this.#sendOwedAwareness(connection)
      } else {
        this.#goLive(connection, task.isAnswer)
        return
      }
    }
  }

  #goLive (connection: Connection, isAnswer: boolean): void {
    connection.goLive()
    if (isAnswer) connection.write([endOfSync, ...connection.protocol.afterAnswer(this.#step1)])
    this.#answerWaiting(connection)
  }

  /** Answers the step 1 that arrived while another was being answered. */
  #answerWaiting (connection: Connection): void {
    const stateVector = connection.progress.takeStateVector()
    if (stateVector !== undefined) this.answer(connection, stateVector)
  }

  /** @returns whether the connection is still open */
  async #sendBitByBit (connection: Connection, messages: readonly Uint8Array[]): Promise<boolean> {
    for (const piece of inPieces(messages, ({ length }) => length)) {
      if (!await canWrite(this.#services, connection)) return false
      connection.write(piece)
    }
    return true
  }

  /** @returns whether the connection is still open */
  async #sendOwedAwareness (connection: Connection): Promise<boolean> {
    const { progress } = connection
    while (progress.owesAwareness) {
      progress.paidAwareness()
      if (!await this.#sendBitByBit(connection, this.#presence.remembered())) return false
    }
    return true
  }

  /** @returns index of the first recent update that the stored document may lack */
  async #sendStored (connection: Connection, task: Task): Promise<number> {
    const { load, name } = this.#content
    for (let restarts = 0; ; restarts++) {
      const loading = load.get()
      const { document, from } = await loading
      if (document === undefined) return from
      try {
        const isWhole = storedBytes(document) <= sendWholeBytes || countStateVector(task.has) === 0
        const { differences } = this.#services
        const difference = isWhole ? undefined : differences.of(name, document, task.has, connection.person)
        task.has = keepable(task.has)
        if (difference === undefined) await sendWhole(this.#services, connection, name, document)
        else await sendDifference(this.#services, connection, difference)
        return from
      } catch (error) {
        // What was sent already does no harm.
        load.forget(loading)
        if (restarts === maxRestarts) throw error
        if (error instanceof MalformedUpdate && restarts === 0) await this.#services.compactor.repair(name)
        // A document that was compacted meanwhile is read again.
        else if (!(error instanceof SnapshotReplaced)) throw error
      }
    }
  }

  #failed (connection: Connection, error: unknown): void {
    const isDamaged = error instanceof DamagedDocument || error instanceof MalformedUpdate
    const { logger, outages } = this.#services
    const { name } = this.#content
    if (isDamaged) logger.error({ err: error, room: name }, 'Failed to send a stored document: it is damaged')
    else outages.report('error', 'Failed to send a stored document', error, { room: name })
    connection.end(isDamaged ? closes.damaged : closes.unavailable)
  }
}

/** A copy of a short state vector, so that its message is not kept; for a long one, that of a client with nothing. */
function keepable (stateVector: Uint8Array): Uint8Array {
  return stateVector.length > maxKeptStateVectorBytes ? hasNothing : new Uint8Array(stateVector)
}

function fitAtOnce (messages: readonly Uint8Array[]): boolean {
  return messages.reduce((sum, { length }) => sum + length, 0) <= pieceBytes
}
