import pg from 'pg'
import type { Logger } from '../../logging/logger.ts'
import { OutageLog } from '../../logging/outage-log.ts'
import { keptAuthors } from '../authors.ts'
import { assertDocumentName } from '../document-name.ts'
import { DocumentQueue } from './document-queue.ts'
import { connectionOptions } from './connection.ts'
import { asBuffer, checked, checksum, maxStatementBytes, pack, statementGroups } from './content.ts'
import { within } from '../../wait/within.ts'
import { PostgresError } from './postgres-failure.ts'
import { migrate } from './schema.ts'
import { statements, type Statements } from './statements.ts'
import { assertRoomToSetAside, keptReason } from '../set-aside.ts'
import type {
  AppendCondition, ConditionalAppend, DocumentInfo, ListOptions, LogEntry, NextSnapshot, SnapshotHead, Store,
  StoredDocument, StoredSetAside, StoredUpdate, Tombstone,
} from '../store.ts'

/** The database and the schema of a store in PostgreSQL. */
export interface PostgresOptions {
  /** `postgres://…`, as libpq accepts it. */
  readonly url: string
  readonly logger: Logger
  /** The schema of the tables; created if it is missing. */
  readonly schema?: string
  /** Largest number of connections. */
  readonly connections?: number
}

const defaultSchema = 'y_provider'
const defaultConnections = 10

/** Concurrent appends; the other connections are for reads. */
const maxAppends = 3

/** Names that `list` reads at a time. */
const listBatch = 500

interface Append {
  readonly documents: ReadonlySet<string>
  readonly bytes: number
  readonly entries: readonly LogEntry[]
  readonly resolve: (seqs: readonly number[]) => void
  readonly reject: (error: unknown) => void
}

/** Ms; a start must fail within 10 s, even if the server accepts a connection and then hangs. */
const openTimeoutMs = 8000

/**
 * Opens the store in PostgreSQL, and creates missing tables. Several nodes can share it. If the connection is lost at
 * the wrong moment, an append can reject although it was stored; storing an update twice does no harm.
 * @throws Error if the store cannot be opened within 8 s
 */
export async function openPostgresStore (options: PostgresOptions): Promise<PostgresStore> {
  const opening = open(options)
  return within(opening, openTimeoutMs, () => {
    opening.then((store) => store.close(), () => {}) // it can still open later
    throw new Error('the server accepts a connection and does not answer')
  })
}

async function open (options: PostgresOptions): Promise<PostgresStore> {
  const { url, logger, schema = defaultSchema, connections = defaultConnections } = options
  const pool = new pg.Pool({ ...await connectionOptions(url), max: connections })
  const outages = new OutageLog(logger, () => performance.now())
  pool.on('error', (error) => { outages.report('warn', 'Lost a connection to PostgreSQL', error) })
  try {
    const client = await pool.connect()
    try {
      await migrate(client, schema)
    } finally {
      client.release()
    }
    return new PostgresStore(pool, statements(schema))
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** The store in PostgreSQL. See `openPostgresStore`. */
export class PostgresStore implements Store {
  readonly #pool: pg.Pool
  readonly #sql: Statements
  readonly #appends: DocumentQueue<Append>
  #closing: Promise<void> | undefined

  constructor (pool: pg.Pool, sql: Statements) {
    this.#pool = pool
    this.#sql = sql
    this.#appends = new DocumentQueue((group) => this.#append(group), {
      maxRunning: maxAppends,
      maxBytes: maxStatementBytes,
    })
  }

  async append (entries: readonly LogEntry[]): Promise<readonly number[]> {
    for (const { document } of entries) assertDocumentName(document)
    if (this.#closing) throw new Error('The store is closed')
    if (entries.length === 0) return []
    return new Promise((resolve, reject) => {
      const documents = new Set(entries.map(({ document }) => document))
      const bytes = entries.reduce((sum, { update }) => sum + update.length, 0)
      this.#appends.add({ documents, bytes, entries, resolve, reject })
    })
  }

  /** Runs several calls as one statement. */
  async #append (group: readonly Append[]): Promise<void> {
    try {
      const seqs = await this.#appendAll(group.flatMap((append) => append.entries))
      let at = 0
      for (const { entries, resolve } of group) resolve(seqs.slice(at, at += entries.length))
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /** @returns a number for each entry; 0: it was rejected */
  async #appendAll (entries: readonly LogEntry[]): Promise<number[]> {
    const seqs = isOneStatement(entries) ? await this.#appendOnce(entries) : await this.#appendSeparately(entries)
    const retried = await this.#withBases(entries.filter(({ after }, at) => after === 0 && seqs[at] === 0))
    if (retried.size === 0) return seqs
    const waiting = entries.map((entry, at) => ({ at, entry: seqs[at] === 0 ? retried.get(entry) : undefined }))
      .flatMap(({ at, entry }) => entry === undefined ? [] : [{ at, entry }])
    const numbers = await this.#appendOnce(waiting.map(({ entry }) => entry))
    for (const [index, { at }] of waiting.entries()) seqs[at] = numbers[index] ?? 0
    return seqs
  }

  async #appendSeparately (entries: readonly LogEntry[]): Promise<number[]> {
    const seqs: number[] = []
    for (const statement of statementsOf(entries)) {
      const numbers = await this.#appendOnce(statement.map(({ entry }) => entry))
      for (const [index, { at }] of statement.entries()) seqs[at] = numbers[index] ?? 0
    }
    return seqs
  }

  async #appendOnce (entries: readonly LogEntry[]): Promise<number[]> {
    const rows = await this.#query<{ seq: number | null }>(this.#sql.append, appendParameters(entries))
    return rows.map(({ seq }) => seq ?? 0)
  }

  /**
   * The first updates of documents whose names were in use before. The statement cannot tell whether a tombstone
   * remains: a deletion that is committed while it waits for the row is newer than what it sees.
   * @returns those without a tombstone, to be added unless another deletion follows
   */
  async #withBases (rejected: readonly LogEntry[]): Promise<Map<LogEntry, LogEntry>> {
    if (rejected.length === 0) return new Map()
    const names = [...new Set(rejected.map(({ document }) => document))]
    const rows = await this.#query<{ name: string, base: number }>(this.#sql.bases, [names])
    const bases = new Map(rows.map(({ name, base }) => [name, base]))
    return new Map(rejected.flatMap((entry) => {
      const after = bases.get(entry.document)
      return after === undefined ? [] : [[entry, { ...entry, after }]]
    }))
  }

  async create (document: string, update: Uint8Array, authors?: readonly string[]): Promise<number | undefined> {
    assertDocumentName(document)
    const values = entryParameters({ document, update, ...authors !== undefined && { authors } })
    const [row] = await this.#query<{ seq: number }>(this.#sql.create, values)
    return row?.seq
  }

  async appendIf (entry: LogEntry, { readAt, isLast }: AppendCondition): Promise<ConditionalAppend> {
    const { document } = entry
    assertDocumentName(document)
    const values = [...entryParameters(entry), readAt, isLast]
    const [row] = await this.#query<{ seq: number }>(this.#sql.appendIf, values)
    if (row) return { type: 'stored', seq: row.seq }
    const [found] = await this.#query<StateRow>(this.#sql.find, [document])
    return found ? { type: 'changed', lastSeq: found.last_seq } : { type: 'absent' }
  }

  async load (document: string, since = 0): Promise<StoredDocument | undefined> {
    assertDocumentName(document)
    const [row, ...entries] = await this.#query<LoadRow>(this.#sql.load, [document, since])
    if (!row) return undefined
    const log: StoredUpdate[] = entries.map(({ seq, crc, content }) => ({
      seq,
      update: checked(document, content, crc, `entry ${seq} of its log`, document),
    }))
    const { last_seq: lastSeq, updated_ms: updatedAt, base, has_tombstone: hasTombstone } = row
    return { snapshot: headOf(document, row), log, lastSeq, updatedAt, base, hasTombstone }
  }

  async readPiece (document: string, generation: number, index: number): Promise<Uint8Array | undefined> {
    assertDocumentName(document)
    const values = [document, generation, index]
    const [row] = await this.#query<{ crc: number | null, content: Buffer | null }>(this.#sql.readPiece, values)
    return row && checked(document, row.content, row.crc, `piece ${index} of its snapshot`, document, generation, index)
  }

  async compact (document: string, next: NextSnapshot): Promise<SnapshotHead | undefined> {
    assertDocumentName(document)
    const [found] = await this.#query<StateRow>(this.#sql.find, [document])
    if (!found || !matches(found, next)) return undefined
    const generation = found.generation + 1
    return this.#transaction(async (query) => {
      // The pieces come first, without the lock, so that no append waits: nothing reads the new generation yet.
      await insertPieces(query, this.#sql, document, found.id, generation, next.pieces)
      const [state] = await query<StateRow>(this.#sql.lock, [document])
      if (state?.id !== found.id || state.generation !== found.generation || !matches(state, next)) return undefined
      if (next.upTo > state.last_seq || next.upTo < state.up_to) {
        throw new RangeError(`A snapshot up to ${next.upTo} does not fit a log of ${state.up_to + 1} to ${state.last_seq}`)
      }
      await keepAside(query, this.#sql, document, found.id, next)
      const bytes = next.pieces.reduce((sum, { length }) => sum + length, 0)
      const { upTo, known, pieces: { length: pieces } } = next
      const crc = checksum(known, document, generation)
      await query(this.#sql.compact, [found.id, generation, upTo, pieces, bytes, asBuffer(known), crc])
      return { generation, upTo, pieces, bytes, known: new Uint8Array(known) }
    })
  }

  async setAside (document: string): Promise<readonly StoredSetAside[]> {
    assertDocumentName(document)
    const rows = await this.#query<SetAsideRow>(this.#sql.setAside, [document])
    return rows.map(({ seq, reason, crc, content, at_ms: at }) => {
      const update = checked(document, content, crc, `update ${seq} of those set aside`, document, 'set aside', reason)
      return { seq, update, reason, at }
    })
  }

  async removeSetAside (document: string): Promise<number> {
    assertDocumentName(document)
    const removed = await this.#transaction(async (query) => {
      await query(this.#sql.lock, [document])
      return query(this.#sql.removeSetAside, [document])
    })
    return removed?.length ?? 0
  }

  async authors (document: string, since: number): Promise<readonly string[]> {
    assertDocumentName(document)
    const rows = await this.#query<{ user_id: string }>(this.#sql.authors, [document, since])
    return rows.map(({ user_id: author }) => author)
  }

  async remove (document: string, deleted?: Uint8Array, lastSeq?: number): Promise<boolean> {
    assertDocumentName(document)
    const removed = await this.#transaction(async (query) => {
      const [state] = await query<StateRow>(this.#sql.lock, [document])
      if (!state || (lastSeq !== undefined && state.last_seq !== lastSeq)) return undefined
      await query(this.#sql.remove, [state.id])
      if (deleted) await query(this.#sql.bury, [document, checksum(deleted, document, 'deleted'), asBuffer(deleted)])
      return true
    })
    if (removed) await this.#query(this.#sql.forget, [])
    return removed ?? false
  }

  async tombstone (document: string): Promise<Tombstone | undefined> {
    assertDocumentName(document)
    const [row] = await this.#query<{ crc: number, content: Buffer, at_ms: number }>(this.#sql.tombstone, [document])
    if (!row) return undefined
    const deleted = checked(document, row.content, row.crc, 'the tombstone of its name', document, 'deleted')
    return { deleted, at: row.at_ms }
  }

  async replaceTombstone (document: string, before: Tombstone, deleted: Uint8Array): Promise<boolean> {
    const crc = checksum(deleted, document, 'deleted')
    const values = [document, asBuffer(before.deleted), before.at, crc, asBuffer(deleted)]
    return (await this.#query(this.#sql.replaceTombstone, values)).length === 1
  }

  async removeTombstones (before: number): Promise<number> {
    const rows = await this.#query(this.#sql.removeTombstones, [before])
    return rows.length
  }

  async * list ({ prefix = '', after = '', limit = Infinity }: ListOptions = {}): AsyncGenerator<DocumentInfo> {
    let last = after
    for (let left = limit; left > 0;) {
      const most = Math.min(listBatch, left)
      const rows = await this.#query<InfoRow>(this.#sql.list, [prefix, last, most])
      for (const row of rows) {
        if (!row.name.startsWith(prefix)) return
        last = row.name
        yield infoOf(row)
      }
      if (rows.length < most) return
      left -= rows.length
    }
  }

  async info (documents: readonly string[]): Promise<readonly DocumentInfo[]> {
    for (const document of documents) assertDocumentName(document)
    const rows = await this.#query<InfoRow>(this.#sql.info, [documents])
    return rows.map(infoOf)
  }

  async count (): Promise<number> {
    const [row] = await this.#query<{ documents: number }>(this.#sql.count, [])
    return row?.documents ?? 0
  }

  async ping (): Promise<void> {
    const [row] = await this.#query<{ read_only: boolean }>(this.#sql.ping, [])
    if (row?.read_only !== false) throw new Error('PostgreSQL accepts no writes: it is read-only or a standby')
  }

  close (): Promise<void> {
    this.#closing ??= this.#appends.idle().then(() => this.#pool.end())
    return this.#closing
  }

  async #query<Row extends pg.QueryResultRow> (text: string, values: unknown[]): Promise<Row[]> {
    if (this.#closing && this.#pool.ending) throw new Error('The store is closed')
    const { rows } = await this.#pool.query<Row>({ text, values, types }).catch(fail)
    return rows
  }

  /** Runs `work` in a transaction, which is rolled back if it throws or returns undefined. */
  async #transaction<Result> (
    work: (query: Query) => Promise<Result | undefined>
  ): Promise<Result | undefined> {
    if (this.#closing) throw new Error('The store is closed')
    const client = await this.#pool.connect().catch(fail)
    let failed: Error | undefined
    try {
      await client.query('BEGIN').catch(fail)
      const result = await work(async (text, values) => (await client.query({ text, values, types }).catch(fail)).rows)
      await client.query(result === undefined ? 'ROLLBACK' : 'COMMIT').catch(fail)
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch((lost: Error) => { failed = lost })
      throw error
    } finally {
      client.release(failed)
    }
  }
}

/** Marks errors of PostgreSQL, to tell them apart from errors of the store itself. */
function fail (cause: unknown): never {
  throw new PostgresError(cause)
}

type Query = <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => Promise<Row[]>

interface StateRow {
  id: number,
  last_seq: number,
  base: number,
  generation: number,
  up_to: number,
  pieces: number | null,
}

interface LoadRow extends StateRow {
  /** 0 in the first row, which holds the snapshot's state vector and delete set; the others are entries of the log. */
  seq: number
  crc: number | null
  content: Buffer | null
  snapshot_bytes: number
  updated_ms: number
  has_tombstone: boolean
}

interface SetAsideRow { seq: number, reason: string, crc: number, content: Buffer, at_ms: number }

interface InfoRow {
  name: string
  snapshot_bytes: number
  log_bytes: number
  log_entries: number
  last_seq: number
  set_aside: number
  created_ms: number
  updated_ms: number
}

/**
 * Whether `next` replaces the current snapshot. An `upTo` below the document's own numbers belongs to a removed one.
 */
function matches ({ generation, pieces, base }: StateRow, { replaces, upTo }: NextSnapshot): boolean {
  return (pieces === null ? 0 : generation) === replaces && upTo > base
}

function headOf (document: string, row: LoadRow): SnapshotHead | undefined {
  const { generation, up_to: upTo, pieces, snapshot_bytes: bytes, crc, content } = row
  if (pieces === null) return undefined
  const known = checked(document, content, crc, 'what its snapshot knows', document, generation)
  return { generation, upTo, pieces, bytes, known }
}

function infoOf (row: InfoRow): DocumentInfo {
  return {
    document: row.name,
    snapshotBytes: row.snapshot_bytes,
    logBytes: row.log_bytes,
    logEntries: row.log_entries,
    lastSeq: row.last_seq,
    setAside: row.set_aside,
    createdAt: row.created_ms,
    updatedAt: row.updated_ms,
  }
}

/**
 * Whether all entries of a name belong to the same document. They nearly always do: otherwise a room of a removed
 * document and one of its successor have added to the same batch.
 */
function isOneStatement (entries: readonly LogEntry[]): boolean {
  const afters = new Map<string, number | undefined>()
  for (const { document, after } of entries) {
    if (!afters.has(document)) afters.set(document, after)
    else if (afters.get(document) !== after) return false
  }
  return true
}

/** Groups entries for one statement each, in which all entries of a name belong to the same document. */
function statementsOf (entries: readonly LogEntry[]): Array<Array<{ readonly at: number, readonly entry: LogEntry }>> {
  const statements: Array<Array<{ readonly at: number, readonly entry: LogEntry }>> = []
  let left = entries.map((entry, at) => ({ at, entry }))
  while (left.length > 0) {
    const afters = new Map<string, number | undefined>()
    for (const { entry: { document, after } } of left) if (!afters.has(document)) afters.set(document, after)
    const isFirst = ({ entry: { document, after } }: { entry: LogEntry }): boolean => afters.get(document) === after
    statements.push(left.filter(isFirst))
    left = left.filter((each) => !isFirst(each))
  }
  return statements
}

function appendParameters (entries: readonly LogEntry[]): unknown[] {
  const { starts, lengths, bytes } = pack(entries.map(({ update }) => update))
  const names = entries.map(({ document }) => document)
  const crcs = entries.map(({ document, update }) => checksum(update, document))
  const authors = entries.map(({ authors }) => jsonOf(keptAuthors(authors)))
  const afters = entries.map(({ after }) => after ?? 0)
  const unconditional = entries.flatMap(({ document, after }) => after === undefined ? [document] : [])
  return [names, starts, lengths, crcs, bytes, authors, afters, unconditional]
}

function entryParameters ({ document, update, authors }: LogEntry): unknown[] {
  return [document, update.length, checksum(update, document), asBuffer(update), jsonOf(keptAuthors(authors))]
}

const jsonOf = (authors: readonly string[]): string | null => authors.length > 0 ? JSON.stringify(authors) : null

async function insertPieces (
  query: Query,
  sql: Statements,
  document: string,
  id: number,
  generation: number,
  pieces: readonly Uint8Array[]
): Promise<void> {
  for (const { from, group } of statementGroups(pieces, (piece) => piece)) {
    const { starts, lengths, bytes } = pack(group)
    const crcs = group.map((piece, at) => checksum(piece, document, generation, from + at))
    await query(sql.insertPieces, [id, generation, from, starts, lengths, crcs, bytes])
  }
}

/** Stores updates set aside. The document is locked. @throws SetAsideFull */
async function keepAside (
  query: Query,
  sql: Statements,
  document: string,
  id: number,
  { upTo, setAside = [] }: NextSnapshot
): Promise<void> {
  if (setAside.length === 0) return
  const [held] = await query<{ entries: number, bytes: number }>(sql.heldAside, [id])
  if (held) assertRoomToSetAside(document, held)
  for (const { group } of statementGroups(setAside, ({ update }) => update)) {
    const { starts, lengths, bytes } = pack(group.map(({ update }) => update))
    const reasons = group.map(({ reason }) => keptReason(reason))
    const crcs = group.map(({ update }, at) => checksum(update, document, 'set aside', reasons[at] ?? ''))
    await query(sql.keepAside, [id, upTo, starts, lengths, reasons, crcs, bytes])
  }
}

/** PostgreSQL's type `bigint`. */
const int8Oid = 20

/**
 * Reads `bigint` as a number, since all counts are below 2^53. The text format: `pg`'s binary results do not work
 * (8.23).
 */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) => oid === int8Oid ? Number : pg.types.getTypeParser(oid, 'text'),
}
