import type { StoredDocument } from '../../store/store.ts'
import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { RoomContent } from '../content.ts'
import { decodeKnown } from '../save/read-known.ts'
import { scanStored } from '../save/scan-stored.ts'
import type { Services } from '../services.ts'

/** Bytes of log entries that are added in one turn of the event loop. */
const turnBytes = 64 * 1024

type ReadingServices = Pick<Services, 'stored' | 'work' | 'turns'>

/**
 * Reads what the store has of a document and the room lacks. Harmless if that is nothing.
 * @param since position up to which the room has the log
 * @param take called with each update, some of which the room can have already
 * @returns the last position of the log; 0: nothing is stored, or the room was closed
 * @throws DeletedDocument if the document of the room was deleted
 */
export async function readMissing (
  content: RoomContent,
  since: number,
  services: ReadingServices,
  take: (scanned: ScannedUpdate) => void
): Promise<number> {
  const { after } = content.lifetime
  const document = await services.stored.load(content.name, since)
  await content.lifetime.check(document, after)
  if (document === undefined) return 0
  let bytes = 0
  for (const update of await updatesOf(content, document, since, services)) {
    if (bytes > turnBytes) {
      await services.turns.next()
      bytes = 0
    }
    bytes += update.length
    const scanned = await scanStored(content.name, update, services.work)
    if (!content.isOpen) return 0
    take(scanned)
  }
  return document.lastSeq
}

/** The entries of the log or, if the room lacks some that are in the snapshot now, everything that it lacks. */
async function updatesOf (
  content: RoomContent,
  document: StoredDocument,
  since: number,
  { stored, work }: ReadingServices
): Promise<readonly Uint8Array[]> {
  const { name } = content
  const { snapshot, log } = document
  const updates = log.map(({ update }) => update)
  if (snapshot === undefined || snapshot.generation === content.generation) return updates
  const known = await decodeKnown(name, snapshot.known, work)
  const holdsAll = known.covers(content.known.encodeStateVector()) && content.known.deleteSet.contains(known.deleteSet)
  if (holdsAll || snapshot.upTo <= since) {
    content.haveSnapshot(snapshot.generation)
    content.known.addDeletes(known.deleteSet)
    return updates
  }
  const missing = await stored.difference(name, document, content.known.encodeStateVector())
  content.haveSnapshot(snapshot.generation)
  return missing
}
