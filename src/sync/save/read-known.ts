import type { StoredDocument } from '../../store/store.ts'
import { Known } from '../../update/known.ts'
import { scanUpdate } from '../../update/scan-update.ts'
import type { DocumentWork } from '../document-work.ts'
import { heavyUpdateBytes } from '../limits.ts'
import { logBytes } from './stored-documents.ts'

/** Decodes what a snapshot holds; a large one in a worker, since it takes the event loop too long. */
export async function decodeKnown (name: string, known: Uint8Array, work: DocumentWork): Promise<Known> {
  return known.length <= heavyUpdateBytes ? Known.decode(known) : Known.unpack(await work.know(known, [], name))
}

/**
 * State vector and delete set of a stored document. A long log, or a snapshot of many clients and deletions, is read in
 * a worker.
 * @throws MalformedUpdate if the log holds bytes that are no update, or an update that Yjs cannot apply
 */
export async function knownOf (name: string, document: StoredDocument, work: DocumentWork): Promise<Known> {
  const { snapshot, log } = document
  if (logBytes(document) + (snapshot?.known.length ?? 0) > heavyUpdateBytes) {
    return Known.unpack(await work.know(snapshot?.known, log.map(({ update }) => update), name))
  }
  const known = snapshot === undefined ? new Known() : Known.decode(snapshot.known)
  for (const { update } of log) known.add(scanUpdate(update))
  return known
}
