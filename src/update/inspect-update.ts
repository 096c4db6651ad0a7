import { MalformedUpdate } from './malformed-update.ts'
import { mergeUpdates } from './merge-updates.ts'
import { unsoundClocks } from './places.ts'
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
  const unsound = unsoundClocks(merged)
  for (const { client, clock, end, from } of scan.runs) {
    if (overlaps(unsound.rangesOf(client), clock, end)) throw new MalformedUpdate('its structs cannot stay where they are placed', from)
  }
}

function overlaps (ranges: readonly number[], start: number, end: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! < end && ranges[i + 1]! > start) return true
  }
  return false
}
