import { difference } from '../update/difference.ts'
import { Known } from '../update/known.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import type { CompactResult, ScanResult } from '../sync/document-work.ts'
import { unpack } from './packed-updates.ts'

/** What the event loop asks of a worker. Byte arrays are transferred, not copied. */
export type DocumentTask =
  | { readonly type: 'scan', readonly update: Uint8Array }
  | { readonly type: 'know', readonly known: Uint8Array | undefined, readonly updates: Uint8Array }
  | { readonly type: 'compact', readonly updates: Uint8Array, readonly maxPieceBytes: number }
  | { readonly type: 'difference', readonly updates: Uint8Array, readonly stateVector: Uint8Array, readonly maxPieceBytes: number }

/** Runs in a worker thread. */
export default function runDocumentTask (task: DocumentTask): ScanResult | Uint8Array | CompactResult | readonly Uint8Array[] {
  switch (task.type) {
    case 'scan': return scan(task.update)
    case 'know': return know(task.known, unpack(task.updates))
    case 'compact': {
      const { pieces, known } = snapshotPieces(unpack(task.updates), task.maxPieceBytes)
      return { pieces, known: known.encode() }
    }
    case 'difference': return difference(unpack(task.updates), task.stateVector, task.maxPieceBytes)
  }
}

function scan (update: Uint8Array): ScanResult {
  const { runs, deleteSet, deletesNothing, deletesFrom, deletesByStructs, repeatsClient, needs } = scanUpdate(update)
  return { runs, deleteSet: deleteSet.encode(), deletesNothing, deletesFrom, deletesByStructs, repeatsClient, needs }
}

function know (encoded: Uint8Array | undefined, updates: readonly Uint8Array[]): Uint8Array {
  const known = encoded === undefined ? new Known() : Known.decode(encoded)
  for (const update of updates) known.add(scanUpdate(update))
  return known.encode()
}
