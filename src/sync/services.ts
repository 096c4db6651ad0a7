import type { Logger } from '../logging/logger.ts'
import type { OutageLog } from '../logging/outage-log.ts'
import type { Counters, EngineDurations } from './counters.ts'
import type { DocumentWork } from './document-work.ts'
import type { Differences } from './join/differences.ts'
import type { Turns } from './turns.ts'
import type { PieceCache } from './join/piece-cache.ts'
import type { DocumentBounds, Limits } from './limits.ts'
import type { LogReader } from './peers/log-reader.ts'
import type { OtherNodes } from './peers/other-nodes.ts'
import type { RememberedClients } from './presence/remembered-clients.ts'
import type { Compactor } from './save/compactor.ts'
import type { Saver } from './save/saver.ts'
import type { StoredDocuments } from './save/stored-documents.ts'
import type { Tombstones } from './save/tombstones.ts'
import type { TickClock } from './tick/tick-clock.ts'
import type { TickLoad } from './tick/tick-load.ts'

/** Everything that the rooms of a process share. */
export interface Services {
  readonly stored: StoredDocuments
  readonly tombstones: Tombstones
  readonly differences: Differences
  readonly saver: Saver
  readonly compactor: Compactor
  readonly pieces: PieceCache
  readonly work: DocumentWork
  readonly clock: TickClock
  readonly tickLoad: TickLoad
  readonly otherNodes: OtherNodes
  readonly remembered: RememberedClients
  readonly reader: LogReader
  readonly turns: Turns
  readonly limits: Limits
  /** Bounds on one document, from the limits */
  readonly documentBounds: DocumentBounds
  readonly logger: Logger
  /** Logs failures that occur in every room while the store is down */
  readonly outages: OutageLog
  readonly counters: Counters
  readonly durations: EngineDurations
  /** Engine time in ms, monotonic, with fractions */
  now (): number
}
