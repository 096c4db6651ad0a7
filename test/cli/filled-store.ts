import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import * as Y from 'yjs'
import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import type { Store } from '../../src/store/store.ts'
import { readDocument, updatesOf } from '../../src/cli/read-document.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { quiet } from '../store/quiet-logger.ts'

export async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'y-cli-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

export async function start (t: Test, path: string): Promise<LmdbStore> {
  const store = await openLmdbStore({ path, sync: 'process', logger: quiet })
  t.teardown(() => store.close())
  return store
}

/** A document typed word by word, stored as one update per word, half of them in a snapshot. */
export async function write (store: Store, document: string, words: readonly string[]): Promise<void> {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const word of words) doc.getText('t').insert(doc.getText('t').length, word)
  const seqs = await store.append(updates.map((update) => ({ document, update })))
  const half = updates.length >> 1
  const { pieces, known } = snapshotPieces(updates.slice(0, half), 64)
  await store.compact(document, { replaces: 0, upTo: seqs[half - 1] ?? 0, pieces, known: known.encode() })
}

export async function read (store: Store, document: string): Promise<string | undefined> {
  const whole = await readDocument(store, document)
  if (!whole) return undefined
  const doc = new Y.Doc()
  for (const update of updatesOf(whole)) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

export const names = ['plain', 'a/b c', '文档', '.hidden', 'x'.repeat(255), '100%']
export const words = (name: string) => Array.from({ length: 40 }, (_, at) => `${name.slice(0, 5)}${at} `)

export async function fill (store: Store): Promise<void> {
  for (const name of names) await write(store, name, words(name))
}

export async function holdsAll (t: Test, store: Store): Promise<void> {
  for (const name of names) t.equal(await read(store, name), words(name).join(''), name.slice(0, 20))
}

/** An update that writes a text. */
export function typed (text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
