import { Durations } from '../logging/durations.ts'
import type { Logger } from '../logging/logger.ts'
import type { OutageLog } from '../logging/outage-log.ts'
import type { UpdateBounds } from '../update/bounds.ts'
import type { Compactor } from './save/compactor.ts'
import type { Differences } from './join/differences.ts'
import type { DocumentWork } from './document-work.ts'
import type { Limits } from './limits.ts'
import type { LogReader } from './peers/log-reader.ts'
import type { Neighbours } from './peers/other-nodes.ts'
import type { Pacer } from './join/pacer.ts'
import type { PieceCache } from './join/piece-cache.ts'
import type { RememberedClients } from './presence/remembered-clients.ts'
import type { Saver } from './save/saver.ts'
import type { StoredDocuments } from './save/stored-documents.ts'
import type { TickClock } from './tick/tick-clock.ts'
import type { TickLoad } from './tick/tick-load.ts'

export type DocumentBounds = Pick<UpdateBounds, 'clients' | 'gaps' | 'deleteRanges'>

/** What all rooms of a process share. */
export interface Services {
  readonly stored: StoredDocuments
  readonly differences: Differences
  readonly saver: Saver
  readonly compactor: Compactor
  readonly pieces: PieceCache
  readonly work: DocumentWork
  readonly clock: TickClock
  readonly load: TickLoad
  readonly neighbours: Neighbours
  readonly remembered: RememberedClients
  readonly reader: LogReader
  readonly pacer: Pacer
  readonly limits: Limits
  /** What a document may count, from the limits */
  readonly documentBounds: DocumentBounds
  readonly logger: Logger
  /** For what fails in every room while the store is down */
  readonly outages: OutageLog
  readonly counters: Counters
  readonly durations: EngineDurations
  /** Engine time in ms, monotonic, with fractions */
  now (): number
}

/** How long things took since the process started; metrics read it. */
export interface EngineDurations {
  /** Transactions of the store that append updates, those that fail too */
  readonly commits: Durations
  /** For each tick with updates of this node's clients: from the arrival of the first until all are stored */
  readonly acknowledgements: Durations
  /** Rooms: from the first connection until the document is known */
  readonly openings: Durations
}

export const newDurations = (): EngineDurations => ({ commits: new Durations(), acknowledgements: new Durations(), openings: new Durations() })

/** What has happened since the process started; metrics read it. */
export interface Counters {
  messages: number
  updates: number
  /** Updates that held nothing new */
  repeats: number
  malformed: number
  refused: number
  awarenessDropped: number
  ticks: number
  framesWritten: number
  compactions: number
  /** Attempts to compact a document that failed; some were merged instead */
  compactionFailures: number
  /** Stored updates that Yjs cannot apply, put aside */
  updatesSetAside: number
  resyncs: number
  /** Times that the store was read for what other nodes have stored */
  logReads: number
}

export const newCounters = (): Counters => ({
  messages: 0,
  updates: 0,
  repeats: 0,
  malformed: 0,
  refused: 0,
  awarenessDropped: 0,
  ticks: 0,
  framesWritten: 0,
  compactions: 0,
  compactionFailures: 0,
  updatesSetAside: 0,
  resyncs: 0,
  logReads: 0,
})
