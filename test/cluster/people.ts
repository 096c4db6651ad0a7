import type { Test } from 'tap'
import * as Y from 'yjs'
import { readDocument as readWhole, updatesOf } from '../../src/cli/read-document.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { quiet } from '../store/quiet-logger.ts'
import { readDocument } from '../clients/acknowledged-client.ts'
import { agree, Author, holdsAcknowledged } from '../clients/author.ts'
import { when } from '../clients/changes.ts'

/** One person on each node; each can move to the other nodes. */
export function people (ports: readonly number[], room: string): Author[] {
  return ports.map((_, i) => new Author(room, [...ports.slice(i), ...ports.slice(0, i)]))
}

/** Makes everybody type a word every few ms until stopped. */
export function typing (authors: readonly Author[]): () => void {
  let count = 0
  const timer = setInterval(() => { for (const [i, author] of authors.entries()) author.type(`${i}:${count++} `) }, 20)
  return () => { clearInterval(timer) }
}

/**
 * Waits until all have the same document, new clients of these nodes too, with everything ever acknowledged; then
 * everybody leaves.
 */
export async function allIsWell (
  t: Test,
  room: string,
  authors: readonly Author[],
  ports: readonly number[]
): Promise<void> {
  await when(authors, () => agree(authors))
  t.ok(agree(authors), 'all clients have the same document')
  for (const port of ports) {
    const doc = await readDocument(port, room)
    t.equal(doc.getText('text').toString(), authors[0]?.text, 'a new client has it too')
    t.ok(holdsAcknowledged(doc, authors), 'with everything that was acknowledged')
  }
  t.ok(authors.every(({ acknowledged }) => acknowledged.length > 0))
  for (const author of authors) author.leave()
}

/** A document as it is in PostgreSQL, whatever the nodes know of it. */
export async function readStored (databaseUrl: string, room: string): Promise<Y.Doc> {
  const store = await openPostgresStore({ url: databaseUrl, logger: quiet })
  try {
    const stored = await readWhole(store, room)
    const doc = new Y.Doc()
    for (const update of stored === undefined ? [] : updatesOf(stored)) Y.applyUpdate(doc, update)
    return doc
  } finally {
    await store.close()
  }
}
