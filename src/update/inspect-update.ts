import { MalformedUpdate } from './malformed-update.ts'
import { mergeUpdates } from './merge-updates.ts'
import { holdsAny, unsoundClocks } from './places.ts'
import { scanUnchecked, scanUpdate } from './scan-update.ts'

/**
 * Checks what `scanUpdate` cannot tell from the update alone, where it reports `needsInspection`: whether Yjs would throw later because of where the update's
 * structs come to lie in this document. Linear in the bytes of the document, so for worker threads.
 * @param document all updates that the document consists of, in any order
 * @throws MalformedUpdate when the update must not be accepted
 */
export function inspectUpdate (update: Uint8Array, document: readonly Uint8Array[]): void {
  const scan = scanUpdate(update)
  const merged = scanUnchecked(mergeUpdates([...document.map(scanUnchecked), scan]))
  if (holdsAny(scan, unsoundClocks(merged))) throw new MalformedUpdate('its structs cannot stay where they are placed', 0)
}
