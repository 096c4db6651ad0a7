import { MalformedUpdate } from './malformed-update.ts'
import { mergeUpdates } from './merge-updates.ts'
import { holdsAny, unsoundClocks } from './places.ts'
import { scanUnchecked, scanUpdate } from './scan-update.ts'

/**
 * Checks an update for which `scanUpdate` reports `needsInspection`: whether Yjs would throw later because of the
 * places that its structs take in this document. Linear in the bytes of the document, so for worker threads.
 * @param document all updates of the document, in any order
 * @throws MalformedUpdate if the update must not be accepted
 */
export function inspectUpdate (update: Uint8Array, document: readonly Uint8Array[]): void {
  const scan = scanUpdate(update)
  const merged = scanUnchecked(mergeUpdates([...document.map(scanUnchecked), scan]))
  if (holdsAny(scan, unsoundClocks(merged))) throw new MalformedUpdate('its structs cannot stay where they are placed', 0)
}
