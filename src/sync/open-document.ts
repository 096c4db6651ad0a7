import type { StoredDocument } from '../store/store.ts'
import { Known } from '../update/known.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import type { DocumentWork } from './document-work.ts'
import { heavyUpdateBytes } from './limits.ts'
import { logBytes } from './stored-document.ts'

/**
 * State vector and delete set of a stored document. What is short is read here; a long log, or what a snapshot of many clients and deletions says, in a worker.
 * @throws MalformedUpdate where the log holds bytes that are no update
 */
export async function knownOf (name: string, document: StoredDocument, work: DocumentWork): Promise<Known> {
  const { snapshot, log } = document
  if (logBytes(document) + (snapshot?.known.length ?? 0) > heavyUpdateBytes) {
    return Known.unpack(await work.know(snapshot?.known, log.map(({ update }) => update), name))
  }
  const known = snapshot === undefined ? new Known() : Known.decode(snapshot.known)
  for (const { update } of log) known.add(scanUnchecked(update))
  return known
}
