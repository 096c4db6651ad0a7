import type { CompactResult, DocumentWork, TrimmedUpdate, UpdateOrigin } from '../../src/sync/document-work.ts'
import { difference } from '../../src/update/difference.ts'
import { inspectUpdate } from '../../src/update/inspect-update.ts'
import { KeyedClocks } from '../../src/update/keyed-clocks.ts'
import { Known, type PackedKnown } from '../../src/update/known.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { packScan, type PackedScan } from '../../src/update/packed-scan.ts'
import { scanClientUpdate, scanUnchecked, scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { decodeStateVector } from '../../src/update/state-vector.ts'
import { trimUpdate } from '../../src/update/trim-update.ts'
import { uniteKnown } from '../../src/update/unite-known.ts'
import { Gate } from './gate.ts'

/** The work of the workers, done in this thread and behind gates. */
export class InlineWork implements DocumentWork {
  readonly scans = new Gate()
  readonly others = new Gate()
  /** Compactions, except merges, pass this too */
  readonly builds = new Gate()
  /** The number of requested ones */
  differences = 0
  inspections = 0

  async scan (update: Uint8Array, origin: UpdateOrigin): Promise<PackedScan> {
    // Copied at once, as on the way to a thread.
    const copy = new Uint8Array(update)
    await this.scans.pass()
    return packScan(origin === 'client' ? scanClientUpdate(copy) : scanUpdate(copy))
  }

  async inspect (update: Uint8Array, updates: readonly Uint8Array[]): Promise<void> {
    await this.scans.pass()
    this.inspections++
    inspectUpdate(update, updates)
  }

  async keyed (updates: readonly Uint8Array[]): Promise<Float64Array> {
    await this.scans.pass()
    this.inspections++
    return KeyedClocks.of(scanUnchecked(mergeUpdates(updates.map(scanUnchecked)))).pack()
  }

  async trim (update: Uint8Array, stateVector: Uint8Array): Promise<TrimmedUpdate> {
    await this.scans.pass()
    const trimmed = trimUpdate(scanClientUpdate(update), decodeStateVector(stateVector))
    return { update: trimmed.bytes, scan: packScan(trimmed) }
  }

  async know (encoded: Uint8Array | undefined, updates: readonly Uint8Array[]): Promise<PackedKnown> {
    await this.others.pass()
    const known = encoded === undefined ? new Known() : Known.decode(encoded)
    for (const update of updates) known.add(scanUpdate(update))
    return known.pack()
  }

  async unite (states: ReadonlyArray<Uint8Array | PackedKnown>, updates: readonly Uint8Array[]): Promise<Uint8Array> {
    await this.others.pass()
    return uniteKnown(states, updates)
  }

  async compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    await this.others.pass()
    await this.builds.pass()
    const { pieces, known, setAside } = snapshotPieces(updates, maxPieceBytes)
    return { pieces, known: known.encode(), setAside }
  }

  async merge (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    await this.others.pass()
    const known = new Known()
    for (const update of updates) known.add(scanUnchecked(update))
    return { pieces: difference(updates, Uint8Array.of(0), maxPieceBytes), known: known.encode(), setAside: [] }
  }

  async difference (
    updates: readonly Uint8Array[],
    stateVector: Uint8Array,
    maxPieceBytes: number
  ): Promise<readonly Uint8Array[]> {
    this.differences++
    await this.others.pass()
    return difference(updates, stateVector, maxPieceBytes)
  }
}
