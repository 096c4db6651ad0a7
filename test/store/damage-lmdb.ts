import { join } from 'node:path'
import { open } from 'lmdb'
import { decodeRecord } from '../../src/store/lmdb/journal-record.ts'
import {
  decodeRow, journalRange, knownKey, logKey, nameKey, pieceKey, setAsideKey, stateKey, tombstoneKey,
} from '../../src/store/lmdb/layout.ts'
import type { Damageable } from './contract/subject.ts'

/**
 * Changes one bit of a stored part of a document: the last update of its log or of the journal, the first piece of its
 * first snapshot, the first update set aside, its tombstone, the entry under its name.
 */
export async function damageLmdb (folder: string, document: string, what: Damageable | 'name'): Promise<void> {
  const tree = open<Buffer, Buffer>({ path: join(folder, 'documents.mdb'), noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  const row = tree.getBinary(nameKey(document))
  if (!row) throw new Error(`There is no document ${document} to damage`)
  const { id } = decodeRow(row.subarray(4))
  const [lastEntry] = tree.getKeys({
    start: stateKey(id),
    end: logKey(id, 0),
    reverse: true,
    exclusiveStart: true,
    limit: 1,
  })
  const lastRecord = [...tree.getRange(journalRange())].findLast(({ key, value }) => {
    return decodeRecord(key, value, new Map()).at(-1)?.documentId === id
  })?.key
  const key = {
    entry: lastRecord ?? lastEntry,
    piece: pieceKey(id, 1, 0),
    known: knownKey(id, 1),
    aside: setAsideKey(id, 1),
    tombstone: tombstoneKey(document),
    name: nameKey(document),
  }[what]
  const value = key && tree.getBinary(key)
  if (!key || !value) throw new Error(`There is no ${what} to damage`)
  // In a record of the journal, the last bytes are those of its last update.
  const at = value.length - 1
  value[at] = (value[at] ?? 0) ^ 1
  tree.putSync(key, value)
  await tree.close()
}
