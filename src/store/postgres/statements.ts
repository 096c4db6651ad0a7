import { maxAuthors } from '../authors.ts'
import { quoteIdentifier } from './schema.ts'

/** The statements for one schema. */
export type Statements = ReturnType<typeof statements>

/** How long the numbers of a removed document are remembered. */
const rememberedFor = '30 days'

/**
 * All statements of the store. None of them needs a session: no prepared names, no settings, only locks that end with
 * the transaction.
 *
 * A writer holds the lock on the row of its document until the commit. So numbers become visible in the order in which
 * they are given out, and a reader with `since` misses nothing. A statement for many documents takes their locks in the
 * order of their names, so that two statements never wait for each other.
 */
export function statements (schemaName: string) {
  const schema = quoteIdentifier(schemaName)
  const state = 'id, base, last_seq, generation, up_to, pieces'
  /** Whether an update set aside belongs to the document, and not to a removed one of the same name. */
  const isOf = 's.document_id = d.id AND s.up_to > d.base'
  /** Makes an insert of a known name continue the document, or begin a new one above the numbers of a removed one. */
  const goOn = `
    ON CONFLICT (name) DO UPDATE SET
      last_seq = d.last_seq + excluded.last_seq - excluded.base,
      log_bytes = d.log_bytes + excluded.log_bytes,
      log_entries = d.log_entries + excluded.log_entries,
      created_at = CASE WHEN d.removed_at IS NULL THEN d.created_at ELSE excluded.created_at END,
      updated_at = excluded.updated_at,
      removed_at = NULL`

  /** The sizes and times of the documents `d`. */
  const info = `
    SELECT name, snapshot_bytes, log_bytes, log_entries, last_seq,
           (SELECT count(*) FROM ${schema}.set_aside s WHERE ${isOf}) AS set_aside,
           floor(extract(epoch FROM created_at) * 1000)::bigint AS created_ms, floor(extract(epoch FROM updated_at) * 1000)::bigint AS updated_ms
    FROM ${schema}.documents d`

  return {
    /**
     * Names, starts, lengths and checksums of the entries; all their bytes as one; the authors of each, as JSON or
     * null; `LogEntry.after` of each, the same for all of a document, and the names of the documents to add to in any
     * case. Rows in the order of the entries; no number: the entry was rejected. A removal lifts `base` above all
     * numbers that were given out, so comparing with it is enough, and it is read from the row as it is when it is
     * locked.
     */
    append: `
      WITH given AS (
        SELECT *, row_number() OVER (PARTITION BY name ORDER BY nr) AS rank, count(*) OVER (PARTITION BY name) AS total,
               sum(length) OVER (PARTITION BY name) AS bytes
        FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $6::text[], $7::bigint[])
          WITH ORDINALITY AS g (name, start, length, crc, authors, after, nr)
      ), touched AS (
        INSERT INTO ${schema}.documents AS d (name, base, last_seq, log_bytes, log_entries)
        SELECT name, after, after + total, bytes, total FROM given WHERE rank = 1 ORDER BY name COLLATE "C"
        ${goOn}
        WHERE excluded.base >= d.base OR d.name = ANY($8::text[])
        RETURNING d.id, d.name, d.last_seq
      ), numbered AS (
        SELECT g.nr, t.id, t.last_seq - g.total + g.rank AS seq, g.crc, g.start, g.length, g.authors FROM given g JOIN touched t USING (name)
      ), stored AS (
        INSERT INTO ${schema}.updates (document_id, seq, crc, content, authors)
        SELECT id, seq, crc, substring($5::bytea FROM start + 1 FOR length), authors::jsonb FROM numbered
      )
      SELECT n.seq FROM given g LEFT JOIN numbered n USING (nr) ORDER BY g.nr`,

    /** Names. Those that are remembered and have no tombstone. */
    bases: `
      SELECT name, base FROM ${schema}.documents d
      WHERE name = ANY($1::text[]) AND NOT EXISTS (SELECT FROM ${schema}.tombstones t WHERE t.name = d.name)`,

    /** Name, length, checksum, bytes, authors as JSON or null. One row if the document was created. */
    create: `
      WITH made AS (
        INSERT INTO ${schema}.documents AS d (name, last_seq, log_bytes, log_entries) VALUES ($1, 1, $2, 1)
        ${goOn}
        WHERE d.removed_at IS NOT NULL
        RETURNING id, last_seq
      )
      INSERT INTO ${schema}.updates (document_id, seq, crc, content, authors)
      SELECT id, last_seq, $3, $4, $5::jsonb FROM made
      RETURNING seq`,

    /**
     * Name, length, checksum, bytes, authors as JSON or null; the sequence number at which the document was read, and
     * whether it must be the last one. One row if the update was added. After waiting for the lock, PostgreSQL checks
     * the condition again.
     */
    appendIf: `
      WITH touched AS (
        UPDATE ${schema}.documents
        SET last_seq = last_seq + 1, log_bytes = log_bytes + $2, log_entries = log_entries + 1, updated_at = now()
        WHERE name = $1 AND removed_at IS NULL AND base < $6 AND (last_seq = $6 OR NOT $7)
        RETURNING id, last_seq
      )
      INSERT INTO ${schema}.updates (document_id, seq, crc, content, authors)
      SELECT id, last_seq, $3, $4, $5::jsonb FROM touched
      RETURNING seq`,

    /** Name, since. The document with its snapshot's state vector and delete set, then the entries of the log. */
    load: `
      WITH d AS (SELECT * FROM ${schema}.documents WHERE name = $1 AND removed_at IS NULL)
      SELECT 0::bigint AS seq, known_crc AS crc, known AS content, snapshot_bytes, ${state},
             floor(extract(epoch FROM updated_at) * 1000)::bigint AS updated_ms,
             EXISTS (SELECT FROM ${schema}.tombstones t WHERE t.name = d.name) AS has_tombstone
      FROM d
      UNION ALL
      SELECT u.seq, u.crc, u.content, 0, 0, 0, 0, 0, 0, 0, 0, false
      FROM d JOIN ${schema}.updates u ON u.document_id = d.id AND u.seq > greatest($2, d.up_to)
      ORDER BY seq`,

    /** Name, generation, index. One row if that generation has such a piece; without content if the piece is lost. */
    readPiece: `
      SELECT p.crc, p.content
      FROM ${schema}.documents d
      LEFT JOIN ${schema}.pieces p ON p.document_id = d.id AND p.generation = d.generation AND p.index = $3
      WHERE d.name = $1 AND d.removed_at IS NULL AND d.generation = $2 AND $3::int >= 0 AND $3 < d.pieces`,

    /** Name. */
    find: `SELECT ${state} FROM ${schema}.documents WHERE name = $1 AND removed_at IS NULL`,

    /** Name. Other writers to the document wait from here on. */
    lock: `SELECT ${state} FROM ${schema}.documents WHERE name = $1 AND removed_at IS NULL FOR UPDATE`,

    /** Document id, generation, first index; starts, lengths and checksums; all bytes as one. */
    insertPieces: `
      INSERT INTO ${schema}.pieces (document_id, generation, index, crc, content)
      SELECT $1, $2, $3::int + nr - 1, crc, substring($7::bytea FROM start + 1 FOR length)
      FROM unnest($4::int[], $5::int[], $6::bigint[]) WITH ORDINALITY AS g (start, length, crc, nr)
      ON CONFLICT DO NOTHING`,

    /** Document id, generation, up to, how many pieces, their bytes, known, its checksum. The document is locked. */
    compact: `
      WITH swallowed AS (
        DELETE FROM ${schema}.updates WHERE document_id = $1 AND seq <= $3 RETURNING length(content) AS bytes, seq, authors
      ), wrote AS (
        INSERT INTO ${schema}.authors AS a (document_id, user_id, last_seq)
        SELECT $1, user_id, max(seq) FROM swallowed, jsonb_array_elements_text(authors) AS user_id GROUP BY user_id
        ON CONFLICT (document_id, user_id) DO UPDATE SET last_seq = greatest(a.last_seq, excluded.last_seq)
      ), forgotten AS (
        DELETE FROM ${schema}.authors WHERE document_id = $1 AND user_id IN (
          SELECT user_id FROM ${schema}.authors WHERE document_id = $1 ORDER BY last_seq DESC OFFSET ${maxAuthors})
      ), before AS (
        DELETE FROM ${schema}.pieces WHERE document_id = $1 AND generation < $2
      )
      UPDATE ${schema}.documents d
      SET generation = $2, up_to = $3, pieces = $4, snapshot_bytes = $5, known = $6, known_crc = $7,
          log_entries = d.log_entries - s.entries, log_bytes = d.log_bytes - s.bytes
      FROM (SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM swallowed) s
      WHERE d.id = $1`,

    /** Name, since. User ids, those who wrote last first. */
    authors: `
      WITH d AS (SELECT id, base FROM ${schema}.documents WHERE name = $1 AND removed_at IS NULL)
      SELECT user_id FROM (
        SELECT a.user_id, a.last_seq AS seq FROM d JOIN ${schema}.authors a ON a.document_id = d.id AND a.last_seq > d.base
        UNION ALL
        SELECT jsonb_array_elements_text(u.authors), u.seq FROM d JOIN ${schema}.updates u ON u.document_id = d.id
      ) AS wrote WHERE seq > $2 GROUP BY user_id ORDER BY max(seq) DESC LIMIT ${maxAuthors}`,

    /** Name. */
    setAside: `
      SELECT s.seq, s.reason, s.crc, s.content, floor(extract(epoch FROM s.set_aside_at) * 1000)::bigint AS at_ms
      FROM ${schema}.documents d JOIN ${schema}.set_aside s ON ${isOf}
      WHERE d.name = $1 AND d.removed_at IS NULL ORDER BY s.seq`,

    /** Document id. The document is locked. */
    heldAside: `
      SELECT count(s.*) AS entries, coalesce(sum(length(s.content)), 0)::bigint AS bytes
      FROM ${schema}.documents d LEFT JOIN ${schema}.set_aside s ON ${isOf} WHERE d.id = $1`,

    /** Document id, up to; starts, lengths, reasons and checksums; all bytes as one. The document is locked. */
    keepAside: `
      INSERT INTO ${schema}.set_aside (document_id, seq, up_to, reason, crc, content)
      SELECT $1, last + nr, $2, reason, crc, substring($7::bytea FROM start + 1 FOR length)
      FROM unnest($3::int[], $4::int[], $5::text[], $6::bigint[]) WITH ORDINALITY AS g (start, length, reason, crc, nr),
           (SELECT coalesce(max(seq), 0) AS last FROM ${schema}.set_aside WHERE document_id = $1) AS before`,

    /** Name. The document is locked. One row for each that was there. */
    removeSetAside: `
      DELETE FROM ${schema}.set_aside s USING ${schema}.documents d
      WHERE ${isOf} AND d.name = $1 AND d.removed_at IS NULL RETURNING s.seq`,

    /** Document id. The document is locked. */
    remove: `
      WITH log AS (
        DELETE FROM ${schema}.updates WHERE document_id = $1
      ), snapshot AS (
        DELETE FROM ${schema}.pieces WHERE document_id = $1
      ), aside AS (
        DELETE FROM ${schema}.set_aside WHERE document_id = $1
      ), authors AS (
        DELETE FROM ${schema}.authors WHERE document_id = $1
      )
      UPDATE ${schema}.documents
      SET removed_at = now(), base = last_seq + 1, last_seq = last_seq + 1, up_to = 0, pieces = NULL, snapshot_bytes = 0, known = NULL, known_crc = NULL,
          log_bytes = 0, log_entries = 0
      WHERE id = $1`,

    /** Name, checksum, state vector and delete set. */
    bury: `
      INSERT INTO ${schema}.tombstones (name, deleted_at, crc, content) VALUES ($1, now(), $2, $3)
      ON CONFLICT (name) DO UPDATE SET deleted_at = now(), crc = excluded.crc, content = excluded.content`,

    /** Name. */
    tombstone: `
      SELECT crc, content, floor(extract(epoch FROM deleted_at) * 1000)::bigint AS at_ms
      FROM ${schema}.tombstones WHERE name = $1`,

    /** Name, content and time (ms since the epoch) as they were read, checksum, content. One row if it was replaced. */
    replaceTombstone: `
      UPDATE ${schema}.tombstones SET crc = $4, content = $5
      WHERE name = $1 AND content = $2 AND floor(extract(epoch FROM deleted_at) * 1000)::bigint = $3 RETURNING name`,

    /** Ms since the epoch. One row for each. */
    removeTombstones: `
      DELETE FROM ${schema}.tombstones WHERE deleted_at < to_timestamp($1::double precision / 1000) RETURNING name`,

    forget: `
      DELETE FROM ${schema}.documents WHERE id IN (
        SELECT id FROM ${schema}.documents WHERE removed_at < now() - interval '${rememberedFor}' LIMIT 100 FOR UPDATE SKIP LOCKED)`,

    /** Prefix, after, how many. */
    list: `${info} WHERE removed_at IS NULL AND name >= $1 AND name > $2 ORDER BY name LIMIT $3`,

    /** Names. */
    info: `${info} WHERE removed_at IS NULL AND name = ANY($1::text[]) ORDER BY name`,

    count: `SELECT count(*)::integer AS documents FROM ${schema}.documents WHERE removed_at IS NULL`,

    ping: `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only FROM ${schema}.migrations LIMIT 1`,
  }
}
