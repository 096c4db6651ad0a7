import { closes } from '../../protocol/close-codes.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { unpackScan } from '../../update/packed-scan.ts'
import { scanClientUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import { findHeldClocks, trimUpdate } from '../../update/trim-update.ts'
import type { Connection } from '../connection.ts'
import type { RoomContent } from '../content.ts'
import { heavyUpdateBytes, manyParts } from '../limits.ts'
import type { UpdateSender } from '../save/recent-update.ts'
import type { Services } from '../services.ts'
import { whileHeld, type Keeper } from './while-held.ts'

/** The room that updates are received for. */
export interface ReceivingRoom extends Keeper {
  /** The content has grown; clients are sent the update with the next tick. */
  requestTick (): void
  /** Asks a client for the updates that the room lacks, unless it was asked a moment ago. */
  sendStep1Again (connection: Connection): void
}

/** The services that check, add and store received updates. */
export type ReceptionServices =
  Pick<Services, 'work' | 'turns' | 'saver' | 'limits' | 'documentBounds' | 'counters' | 'logger' | 'now'>

/**
 * Checks the updates of clients, large ones in a worker, and takes those that the client can make and Yjs can apply.
 */
export class Reception {
  readonly #content: RoomContent
  readonly #services: ReceptionServices
  readonly #room: ReceivingRoom
  /** Senders of updates that were here already, or of questions whether all is stored */
  #repeats: UpdateSender[] = []

  constructor (content: RoomContent, services: ReceptionServices, room: ReceivingRoom) {
    this.#content = content
    this.#services = services
    this.#room = room
  }

  /**
   * Receives an update.
   * @param isStep2 whether it answers a step 1, with everything that the room lacks
   */
  receive (connection: Connection, update: Uint8Array, isStep2: boolean): void {
    if (isStep2) connection.answered()
    if (!connection.canEdit) return this.#refuse(connection, update, isStep2)
    if (update.length > heavyUpdateBytes) {
      this.#heldOrFail(connection, () => this.#receiveHeavy(connection, update, isStep2))
    } else this.#orFail(connection, () => { this.#receiveScanned(connection, scanClientUpdate(update), isStep2) })
  }

  /** A message of a client that can only read was discarded while it arrived, because it was too large. */
  refuseDiscarded (connection: Connection): void {
    this.#answerRefused(connection, undefined)
  }

  /** Notifies a sender once everything received so far is stored. */
  acknowledgeWhenStored (sender: UpdateSender): void {
    if (this.#content.isSentOut) this.#content.recent.acknowledgeWhenStored(sender)
    else this.#repeats.push(sender)
  }

  /** A tick has sent out what was received. Updates that are still being added wait for a later tick. */
  ticked (): void {
    if (this.#repeats.length === 0 || !this.#content.isSentOut) return
    for (const sender of this.#repeats.splice(0)) this.#content.recent.acknowledgeWhenStored(sender)
  }

  // ---- refused updates

  /** Clients that can only read are stopped here. A step 2 with nothing new is no attempt to edit. */
  #refuse (connection: Connection, update: Uint8Array, isStep2: boolean): void {
    if (!isStep2) this.#answerRefused(connection, undefined)
    else if (update.length > heavyUpdateBytes) {
      this.#heldOrFail(connection, async () => { this.#answerRefused(connection, await this.#scanHeavy(update)) })
    } else this.#orFail(connection, () => { this.#answerRefused(connection, scanClientUpdate(update)) })
  }

  /** @param scanned undefined: it counts as an attempt to edit, whatever it contains */
  #answerRefused (connection: Connection, scanned: ScannedUpdate | undefined): void {
    if (scanned !== undefined && !connection.spend(scanned.parts, this.#services.now())) return
    const isKnown = scanned !== undefined && this.#content.known.contains(scanned)
    if (!isKnown) {
      connection.updateRefused()
      this.#services.counters.count('refused')
    }
    const answer = connection.protocol.acknowledgement(isKnown)
    if (answer !== undefined) connection.send([answer])
  }

  // ---- checks

  /** A keystroke ends here: it is taken at once. */
  #receiveScanned (connection: Connection, scanned: ScannedUpdate, isStep2: boolean): void {
    if (!connection.spend(scanned.parts, this.#services.now())) return
    const trimmed = trimUpdate(scanned, this.#content.known.stateVector)
    if (this.#isSimple(trimmed)) this.#take(connection, trimmed)
    else this.#heldOrFail(connection, () => this.#takeChecked(connection, trimmed, isStep2))
  }

  async #receiveHeavy (connection: Connection, update: Uint8Array, isStep2: boolean): Promise<void> {
    const scanned = await this.#scanHeavy(update)
    if (connection.wasSentAway || !connection.spend(scanned.parts, this.#services.now())) return
    await this.#takeChecked(connection, await this.#trimHeavy(scanned), isStep2)
  }

  async #scanHeavy (update: Uint8Array): Promise<ScannedUpdate> {
    return unpackScan(await this.#services.work.scan(update, 'client', this.#content.name), update)
  }

  /** Cuts off what the room has already. A worker does it, since the update is copied. */
  async #trimHeavy (scanned: ScannedUpdate): Promise<ScannedUpdate> {
    const { work, turns } = this.#services
    const { name, known } = this.#content
    if (known.contains(scanned)) return scanned
    await turns.next()
    if (!await turns.run(findHeldClocks(scanned, known.stateVector))) return scanned
    const { update, scan } = await work.trim(scanned.bytes, known.encodeStateVector(), name)
    return unpackScan(scan, update)
  }

  /** Whether an update can be taken without a look into the document, and at next to no cost. */
  #isSimple (scanned: ScannedUpdate): boolean {
    const isSmall = !this.#content.mustInspect(scanned) && scanned.parts <= manyParts
    return isSmall || this.#content.known.contains(scanned)
  }

  async #takeChecked (connection: Connection, scanned: ScannedUpdate, isStep2: boolean): Promise<void> {
    const content = this.#content
    if (scanned.parts > manyParts) await this.#services.turns.next()
    if (content.mustInspect(scanned) && !content.known.contains(scanned)) await content.inspect(scanned)
    // The updates of a client that has left by itself are still taken.
    if (connection.wasSentAway) return
    if (connection.canEdit) {
      await this.#takeBitByBit(connection, scanned)
      return
    }
    // A right that was withdrawn during the check is withdrawn for this update too.
    connection.updateRefused()
    this.#answerRefused(connection, isStep2 ? scanned : undefined)
  }

  // ---- taking

  /** Takes a checked update: it goes out with the next tick, and into the store. */
  #take (connection: Connection, scanned: ScannedUpdate): void {
    const { known } = this.#content
    const { documentBounds } = this.#services
    if (!this.#canTake(connection, scanned, () => known.wouldExceed(scanned, documentBounds))) return
    this.#taken(connection, this.#content.take(connection, scanned))
  }

  /** The same in several turns of the event loop, if the update has many parts. */
  async #takeBitByBit (connection: Connection, scanned: ScannedUpdate): Promise<void> {
    if (scanned.parts <= manyParts) return this.#take(connection, scanned)
    const { turns, documentBounds } = this.#services
    const exceeds = await turns.run(this.#content.known.exceeding(scanned, documentBounds))
    if (connection.wasSentAway || !this.#canTake(connection, scanned, () => exceeds)) return
    this.#taken(connection, await this.#content.takeBitByBit(connection, scanned))
  }

  /** Answers an update that cannot be taken, or need not be. @returns whether to take it */
  #canTake (connection: Connection, scanned: ScannedUpdate, exceeds: () => boolean): boolean {
    const { counters, limits, saver } = this.#services
    if (this.#content.lifetime.excludes(scanned)) {
      connection.end(closes.deleted)
      return false
    }
    if (this.#content.known.contains(scanned)) {
      counters.count('repeats')
      if (connection.wantsAcknowledgements) this.acknowledgeWhenStored(connection)
      return false
    }
    // Checked only now: a client that only reads answers step 1 too, with nothing new.
    if (saver.unsavedBytes > limits.maxUnsavedBytes) {
      connection.end(closes.unavailable)
      return false
    }
    const bytes = this.#content.bytes + scanned.bytes.length
    const isTooLarge = (limits.maxDocumentBytes > 0 && bytes > limits.maxDocumentBytes) || exceeds()
    if (isTooLarge) connection.end(closes.tooLarge)
    return !isTooLarge
  }

  #taken (connection: Connection, lacksSomething: boolean): void {
    this.#services.counters.count('updates')
    if (lacksSomething) this.#room.sendStep1Again(connection)
    this.#room.requestTick()
  }

  // ---- failures

  #orFail (connection: Connection, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(connection, error)
    }
  }

  /** The same for work that takes several turns of the event loop. */
  #heldOrFail (connection: Connection, work: () => Promise<void>): void {
    whileHeld(this.#room, connection, work, (error) => { this.#failed(connection, error) })
  }

  #failed (connection: Connection, error: unknown): void {
    const { counters, logger } = this.#services
    if (error instanceof MalformedUpdate) {
      counters.count('malformed')
      connection.end(closes.malformed)
    } else {
      logger.error({ err: error, room: this.#content.name }, 'Failed to check an update')
      connection.end(closes.unavailable)
    }
  }
}
