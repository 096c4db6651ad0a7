import { eraseDocument, type Erasure } from '../documents/erase-document.ts'
import type { Environment } from '../settings/prepare.ts'
import { hasOwner } from '../store/lmdb/owner.ts'
import { holdsLmdbStore } from '../store/lmdb/lmdb-store.ts'
import type { Store } from '../store/store.ts'
import { uniteKnown } from '../update/unite-known.ts'
import type { Console } from './console.ts'
import { configured, isPostgres, openExisting } from './location.ts'
import { reasonOf } from './reason.ts'
import { RunningService } from './running-service.ts'
import { setting } from './setting.ts'

/**
 * Permanently deletes documents: by the running service, which closes their connections, or from the store if there is
 * none. Asks nothing.
 * @param options `store` names another store than that of the service with these variables
 * @returns the number of documents that were not deleted
 * @throws Error if a service uses the store and cannot be reached
 */
export async function deleteDocuments (
  documents: readonly string[],
  options: { readonly store?: string },
  env: Environment,
  console: Console
): Promise<number> {
  const location = configured(options, env)
  const isOwn = location === configured({}, env)
  const service = isOwn ? await serviceFor(location, env) : undefined
  if (service !== undefined) {
    return await deleteEach(documents, console, async (document) => faultOf(await service.delete(document)))
  }
  const store = await openExisting(location, console.logger)
  try {
    if (isPostgres(location)) console.note('No service answers, so the documents are deleted in the database: nodes that run elsewhere close their connections within a minute')
    return await deleteEach(documents, console, (document) => eraseFrom(store, document, env))
  } finally {
    await store.close()
  }
}

/** The service to ask; undefined: none runs. The owner of an embedded store is a service, even if it is unreachable. */
async function serviceFor (location: string, env: Environment): Promise<RunningService | undefined> {
  if (!isPostgres(location) && !(holdsLmdbStore(location) && await hasOwner(location))) return undefined
  return await RunningService.find(env)
}

async function deleteEach (
  documents: readonly string[],
  console: Console,
  deleteOne: (document: string) => Promise<string | undefined>
): Promise<number> {
  let faults = 0
  for (const document of documents) {
    const fault = await deleteOne(document).catch(reasonOf)
    if (fault === undefined) console.print(`Document ${JSON.stringify(document)} deleted`)
    else {
      console.note(`Document ${JSON.stringify(document)} not deleted: ${fault}`)
      faults++
    }
  }
  return faults
}

const faultOf = ({ status, error }: { status: number, error: string }): string | undefined =>
  status === 204 ? undefined : error

const faults: Readonly<Record<Exclude<Erasure['outcome'], 'erased'>, string>> = {
  absent: 'Document not found',
  deleted: 'The document was deleted',
  changed: 'The document has changed',
}

async function eraseFrom (store: Store, document: string, env: Environment): Promise<string | undefined> {
  const { outcome } = await eraseDocument(store, document, {
    leavesTombstone: setting(env, 'DELETED_FOR') !== '0',
    unite: async (states, updates) => uniteKnown(states, updates),
  })
  return outcome === 'erased' ? undefined : faults[outcome]
}
