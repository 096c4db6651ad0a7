import { unpackScan } from '../../update/packed-scan.ts'
import { scanUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import type { DocumentWork } from '../document-work.ts'
import { heavyUpdateBytes } from '../limits.ts'

/**
 * Scans an update that is in the store or was made for it; a large one in a worker.
 * @throws MalformedUpdate
 */
export async function scanStored (
  name: string,
  update: Uint8Array,
  work: Pick<DocumentWork, 'scan'>
): Promise<ScannedUpdate> {
  if (update.length <= heavyUpdateBytes) return scanUpdate(update)
  return unpackScan(await work.scan(update, 'store', name), update)
}
