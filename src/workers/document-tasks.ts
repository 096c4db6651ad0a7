import { setPriority } from 'node:os'
import { difference } from '../update/difference.ts'
import { inspectUpdate } from '../update/inspect-update.ts'
import { KeyedClocks } from '../update/keyed-clocks.ts'
import { Known, type PackedKnown } from '../update/known.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import { buffersOf, packScan } from '../update/packed-scan.ts'
import { scanClientUpdate, scanUnchecked, scanUpdate } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { decodeStateVector } from '../update/state-vector.ts'
import { trimUpdate } from '../update/trim-update.ts'
import { uniteKnown } from '../update/unite-known.ts'
import type { CompactResult, TrimmedUpdate, UpdateOrigin } from '../sync/document-work.ts'
import { Moved } from './messages.ts'
import { unpack } from './packed-updates.ts'

/** A task for a thread. `updates` are packed, see `packed-updates.ts`. */
export type DocumentTask =
  | { readonly type: 'scan', readonly updates: Uint8Array, readonly origin: UpdateOrigin }
  | { readonly type: 'inspect', readonly update: Uint8Array, readonly updates: Uint8Array }
  | { readonly type: 'keyed', readonly updates: Uint8Array }
  | { readonly type: 'trim', readonly updates: Uint8Array, readonly stateVector: Uint8Array }
  | { readonly type: 'know', readonly known: Uint8Array | undefined, readonly updates: Uint8Array }
  | { readonly type: 'unite', readonly states: ReadonlyArray<Uint8Array | PackedKnown>, readonly updates: Uint8Array }
  | { readonly type: 'compact' | 'merge', readonly updates: Uint8Array, readonly maxPieceBytes: number }
  | { readonly type: 'difference', readonly updates: Uint8Array, readonly stateVector: Uint8Array, readonly maxPieceBytes: number }

/** The state vector of a reader that has nothing. */
const hasNothing = Uint8Array.of(0)

/** What a thread is started with. */
export interface DocumentThreadContext {
  /** How far behind other threads this one queues for the processor, as in nice(1); 0: not at all. */
  readonly niceness: number
}

/** A malformed update, as plain data. */
export type UpdateFlaw = Pick<MalformedUpdate, 'reason' | 'offset'>

/** Describes a malformed update for `DocumentThreads`. @returns undefined for any other error */
export function describeError (error: unknown): UpdateFlaw | undefined {
  return error instanceof MalformedUpdate ? { reason: error.reason, offset: error.offset } : undefined
}

/** Sets the thread's priority. Only Linux has one for each thread; elsewhere it is that of the whole process. */
export function start (context: unknown): void {
  const { niceness } = context as DocumentThreadContext // only `DocumentThreads` opens the pool
  if (niceness > 0 && process.platform === 'linux') setPriority(niceness)
}

/** Does a task in a worker thread, the only place where documents are built. */
export default function runDocumentTask (task: unknown): Moved {
  const given = task as DocumentTask // only `DocumentThreads` sends tasks
  const updates = unpack(given.updates)
  switch (given.type) {
    case 'scan': return scan(updates[0] ?? new Uint8Array(0), given.origin)
    case 'inspect': return inspect(given.update, updates)
    case 'keyed': return keyed(updates)
    case 'trim': return trim(updates[0] ?? new Uint8Array(0), given.stateVector)
    case 'know': return know(given.known, updates)
    case 'unite': return moved([uniteKnown(given.states, updates)], ([united]) => united)
    case 'compact': return compact(updates, given.maxPieceBytes)
    case 'merge': return merge(updates, given.maxPieceBytes)
    case 'difference':
      return moved(difference(updates, given.stateVector, given.maxPieceBytes), (pieces) => pieces)
  }
}

function scan (update: Uint8Array, origin: UpdateOrigin): Moved {
  const packed = packScan(origin === 'client' ? scanClientUpdate(update) : scanUpdate(update))
  return new Moved(packed, buffersOf(packed))
}

function inspect (update: Uint8Array, updates: readonly Uint8Array[]): Moved {
  inspectUpdate(update, updates)
  return new Moved(undefined, [])
}

function keyed (updates: readonly Uint8Array[]): Moved {
  const packed = KeyedClocks.of(scanUnchecked(mergeUpdates(updates.map(scanUnchecked)))).pack()
  return new Moved(packed, [packed.buffer])
}

function trim (update: Uint8Array, stateVector: Uint8Array): Moved {
  const trimmed = trimUpdate(scanClientUpdate(update), decodeStateVector(stateVector))
  const scan = packScan(trimmed)
  return moved([trimmed.bytes], ([update]): TrimmedUpdate => ({ update: update!, scan }))
}

function know (encoded: Uint8Array | undefined, updates: readonly Uint8Array[]): Moved {
  const packed = knownOf(encoded, updates).pack()
  const { clocks, beyond, deletes } = packed
  return new Moved(packed, [clocks.clients.buffer, clocks.clocks.buffer, beyond.buffer, deletes.buffer])
}

function knownOf (encoded: Uint8Array | undefined, updates: readonly Uint8Array[]): Known {
  const known = encoded === undefined ? new Known() : Known.decode(encoded)
  for (const update of updates) known.add(scanUpdate(update))
  return known
}

function compact (updates: readonly Uint8Array[], maxPieceBytes: number): Moved {
  const { pieces, known, setAside } = snapshotPieces(updates, maxPieceBytes)
  return moved([...pieces, ...setAside.map(({ update }) => update)], (bytes): CompactResult => ({
    pieces: bytes.slice(0, pieces.length),
    known: known.encode(),
    setAside: setAside.map(({ index, reason }, i) => ({ index, update: bytes[pieces.length + i]!, reason })),
  }))
}

function merge (updates: readonly Uint8Array[], maxPieceBytes: number): Moved {
  const known = new Known()
  for (const update of updates) known.add(scanUnchecked(update))
  const pieces = difference(updates, hasNothing, maxPieceBytes)
  return moved(pieces, (pieces): CompactResult => ({ pieces, known: known.encode(), setAside: [] }))
}

/** Hands the bytes over instead of having them copied on the main thread. */
function moved (all: readonly Uint8Array[], result: (all: readonly Uint8Array[]) => unknown): Moved {
  const own = all.map((bytes) => ownsBuffer(bytes) ? bytes : bytes.slice())
  return new Moved(result(own), [...new Set(own.map((bytes) => bytes.buffer as ArrayBuffer))])
}

/** A piece can be a view of the updates' own bytes, or share a buffer with others. */
function ownsBuffer ({ buffer, byteLength }: Uint8Array): boolean {
  return byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
}
