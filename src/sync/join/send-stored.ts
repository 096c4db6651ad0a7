import { encodeUpdate } from '../../protocol/encode-message.ts'
import { framesOf } from '../../protocol/frame.ts'
import type { SnapshotHead, StoredDocument, StoredUpdate } from '../../store/store.ts'
import { mergeUpdates } from '../../update/merge-updates.ts'
import { scanUpdate } from '../../update/scan-update.ts'
import type { Connection } from '../connection.ts'
import { heavyUpdateBytes } from '../limits.ts'
import type { Services } from '../services.ts'
import type { Difference } from './differences.ts'

/** Bytes of stored log entries that are merged for sending, each group in a fraction of a ms. */
const logGroupBytes = 64 * 1024

/** The services that send a stored document. */
export type SendingServices = Pick<Services, 'turns' | 'pieces' | 'stored' | 'work'>

/** Waits for the connection's turn and for its socket. @returns whether the connection is still open */
export async function canWrite ({ turns }: Pick<Services, 'turns'>, connection: Connection): Promise<boolean> {
  await turns.next()
  if (connection.phase !== 'ended') await connection.socket.drained()
  return connection.phase !== 'ended'
}

/** Sends the part of a document that a client lacks, piece by piece. */
export async function sendDifference (
  services: SendingServices,
  connection: Connection,
  difference: Difference
): Promise<void> {
  try {
    for (const update of await difference.pieces) {
      if (!await canWrite(services, connection)) return
      connection.write([encodeUpdate(update)])
    }
  } finally {
    difference.release()
  }
}

/**
 * Sends a whole stored document: each piece of its snapshot as it is stored, and its log in merged groups.
 * @throws SnapshotReplaced if the document is compacted meanwhile; MalformedUpdate if it holds what Yjs cannot apply
 */
export async function sendWhole (
  services: SendingServices,
  connection: Connection,
  name: string,
  { snapshot, log, lastSeq }: StoredDocument
): Promise<void> {
  const generation = snapshot?.generation ?? 0
  const send = (key: string, read: () => Promise<Uint8Array>) => sendShared(services, connection, `${key} ${name}`, read)
  if (snapshot !== undefined) {
    for (let index = 0; index < snapshot.pieces; index++) {
      if (!await send(`s${generation}/${index}`, () => checkedPiece(services, name, snapshot, index))) return
    }
  }
  let group = 0
  for (const updates of groupsOf(log)) {
    if (!await send(`l${generation}/${lastSeq}/${group++}`, async () => mergeStored(updates))) return
  }
}

/** Sends an update whose frames other connections with the same address use too. @returns whether it was sent */
async function sendShared (
  services: SendingServices,
  connection: Connection,
  key: string,
  read: () => Promise<Uint8Array>
): Promise<boolean> {
  if (!await canWrite(services, connection)) return false
  const { address, socket } = connection
  const makeFrames = async () => framesOf(address, [encodeUpdate(await read())])
  socket.write(await services.pieces.get(`${key}\0${address.key}`, makeFrames))
  return true
}

/**
 * A piece of a snapshot. Earlier versions took updates that Yjs cannot apply; a document that held one was stored as a
 * single piece, unchanged.
 * @throws MalformedUpdate if the piece is such a document
 */
async function checkedPiece (
  { stored, work }: SendingServices,
  name: string,
  snapshot: SnapshotHead,
  index: number
): Promise<Uint8Array> {
  const piece = await stored.piece(name, snapshot, index)
  if (snapshot.pieces > 1) return piece
  if (piece.length <= heavyUpdateBytes) scanUpdate(piece)
  else await work.scan(piece, 'store', name)
  return piece
}

const mergeStored = (updates: readonly StoredUpdate[]): Uint8Array =>
  mergeUpdates(updates.map(({ update }) => scanUpdate(update)))

function * groupsOf (log: readonly StoredUpdate[]): Generator<StoredUpdate[]> {
  let group: StoredUpdate[] = []
  let bytes = 0
  for (const stored of log) {
    if (group.length > 0 && bytes + stored.update.length > logGroupBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(stored)
    bytes += stored.update.length
  }
  if (group.length > 0) yield group
}
