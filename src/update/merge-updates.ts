import { ByteWriter } from './byte-writer.ts'
import { DeleteSet } from './delete-set.ts'
import type { ClientRun, ScannedUpdate } from './scan-update.ts'
import { sliceStruct } from './slice-struct.ts'
import { kinds, StructReader } from './struct-reader.ts'

/** Bytes for the numbers of a section or a Skip: count, client, clock, at most 8 bytes each. */
const headerBytes = 24

/**
 * Merges updates into one that has the effect of all. Works on bytes, in time linear in them (and n log n in the runs):
 * runs that abut are joined, what another run covers is left out, a run that begins inside another is cut where that
 * ends, gaps become Skips, and clients come in descending order as Yjs writes them. A single update is returned
 * unchanged.
 */
export function mergeUpdates (updates: readonly ScannedUpdate[]): Uint8Array {
  const only = updates[0]
  if (updates.length === 1 && only !== undefined) return only.bytes
  return mergeRuns(updates, () => true, DeleteSet.union(updates.map((update) => update.deleteSet)))
}

interface Source { readonly bytes: Uint8Array, readonly run: ClientRun }

/** Structs to copy. */
interface Stretch {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly structs: number
  /** Clocks that are missing before it. */
  readonly skip: number
  /** Replaces the struct inside which it begins. */
  readonly head: Uint8Array | null
}

/** Client → a clock; undefined if there is none. */
export type Clocks = Pick<ReadonlyMap<number, number>, 'get'>

const nothing: Clocks = new Map()

/**
 * As `mergeUpdates`, but with only the runs that `isWanted` accepts, and with the given delete set.
 * @param held client → the clock before which its runs are cut off; none ends before it
 */
export function mergeRuns (
  updates: readonly ScannedUpdate[],
  isWanted: (run: ClientRun) => boolean,
  deleteSet: DeleteSet,
  held: Clocks = nothing
): Uint8Array {
  const sources: Source[] = []
  let size = 16 + deleteSet.size * 4
  for (const { bytes, runs } of updates) {
    for (const run of runs) {
      if (run.end === run.clock || !isWanted(run)) continue
      sources.push({ bytes, run })
      size += run.to - run.from + headerBytes
    }
  }
  sources.sort(byClientThenClock)
  const writer = new ByteWriter(size)
  writer.varUint(countClients(sources))
  for (let from = 0; from < sources.length;) from = writeSection(writer, sources, from, held)
  deleteSet.write(writer)
  return writer.finish()
}

/**
 * Highest client first. Runs that begin at the same clock keep their order. If copies differ (one client cut a
 * surrogate pair, two clients share an id), the first copy stays, as in Yjs, so that later readers see the same as
 * earlier ones.
 */
function byClientThenClock (a: Source, b: Source): number {
  return b.run.client - a.run.client || a.run.clock - b.run.clock
}

function countClients (sources: readonly Source[]): number {
  let clients = 0
  for (let i = 0; i < sources.length; i++) {
    if (i === 0 || sources[i]!.run.client !== sources[i - 1]!.run.client) clients++
  }
  return clients
}

/**
 * Writes the section of one client, whose runs begin at index `first`.
 * @returns the index of the next client's first run
 */
function writeSection (writer: ByteWriter, sources: readonly Source[], first: number, held: Clocks): number {
  const { client, clock: firstClock } = sources[first]!.run
  const clock = Math.max(firstClock, held.get(client) ?? 0)
  const stretches: Stretch[] = []
  let structs = 0
  let end = clock
  let next = first
  for (; next < sources.length && sources[next]!.run.client === client; next++) {
    const { bytes, run } = sources[next]!
    if (run.end <= end) continue
    const stretch = run.clock < end ? cut(bytes, run, end) : whole(bytes, run, end)
    stretches.push(stretch)
    structs += stretch.structs + (stretch.skip > 0 ? 1 : 0)
    end = run.end
  }
  writer.varUint(structs)
  writer.varUint(client)
  writer.varUint(clock)
  for (const stretch of stretches) writeStretch(writer, stretch)
  return next
}

function writeStretch (writer: ByteWriter, { bytes, from, to, skip, head }: Stretch): void {
  if (skip > 0) {
    writer.byte(kinds.skip)
    writer.varUint(skip)
  }
  if (head !== null) writer.copy(head)
  writer.copy(bytes, from, to)
}

function whole (bytes: Uint8Array, run: ClientRun, end: number): Stretch {
  return { bytes, from: run.from, to: run.to, structs: run.structs, skip: run.clock - end, head: null }
}

/** The run's structs from the clock `start` on, which lies inside it. */
function cut (bytes: Uint8Array, run: ClientRun, start: number): Stretch {
  const reader = new StructReader(bytes, run.from)
  let clock = run.clock
  let structs = run.structs
  while (true) {
    reader.readStruct()
    structs--
    const end = clock + reader.length
    if (end === start) return { bytes, from: reader.pos, to: run.to, structs, skip: 0, head: null }
    if (end > start) {
      const head = sliceStruct(reader, run.client, clock, start - clock)
      return { bytes, from: reader.pos, to: run.to, structs: structs + 1, skip: 0, head }
    }
    clock = end
  }
}
