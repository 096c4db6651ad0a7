import type pg from 'pg'

/**
 * The steps that create and change the tables, each done once, in order. `$schema` is replaced by the quoted name of
 * the schema. A released step never changes.
 *
 * A removed document leaves its row for a while, so that a new document of the same name continues above its numbers.
 * There are no foreign keys: they would lock and look up a document for each update, and only this program writes here.
 */
const steps = [
  `CREATE TABLE $schema.documents (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     name text COLLATE "C" NOT NULL UNIQUE,
     base bigint NOT NULL DEFAULT 0,
     last_seq bigint NOT NULL,
     log_bytes bigint NOT NULL,
     log_entries bigint NOT NULL,
     generation bigint NOT NULL DEFAULT 0,
     up_to bigint NOT NULL DEFAULT 0,
     pieces integer,
     snapshot_bytes bigint NOT NULL DEFAULT 0,
     known bytea,
     known_crc bigint,
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     removed_at timestamptz
   ) WITH (fillfactor = 70);
   COMMENT ON TABLE $schema.documents IS 'One row for each document; pieces is null where there is no snapshot yet';
   CREATE INDEX documents_removed ON $schema.documents (removed_at) WHERE removed_at IS NOT NULL;
   CREATE TABLE $schema.updates (
     document_id bigint NOT NULL,
     seq bigint NOT NULL,
     crc bigint NOT NULL,
     content bytea NOT NULL,
     PRIMARY KEY (document_id, seq)
   );
   COMMENT ON TABLE $schema.updates IS 'Yjs updates since the snapshot of their document';
   CREATE TABLE $schema.pieces (
     document_id bigint NOT NULL,
     generation bigint NOT NULL,
     index integer NOT NULL,
     crc bigint NOT NULL,
     content bytea NOT NULL,
     PRIMARY KEY (document_id, generation, index)
   );
   COMMENT ON TABLE $schema.pieces IS 'Snapshots, in pieces'`,
  // A table of its own instead of columns, so that nodes of the previous version can run beside it. They remove a
  // document without its updates set aside; those are recognised by up_to, which is not above the base of a new
  // document.
  `CREATE TABLE $schema.set_aside (
     document_id bigint NOT NULL,
     seq bigint NOT NULL,
     up_to bigint NOT NULL,
     reason text NOT NULL,
     crc bigint NOT NULL,
     content bytea NOT NULL,
     set_aside_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (document_id, seq)
   );
   COMMENT ON TABLE $schema.set_aside IS 'Updates that Yjs cannot apply, left out of the snapshot up to up_to'`,
  // Nodes of the previous version can run beside it: they store updates without authors.
  `ALTER TABLE $schema.updates ADD COLUMN authors jsonb;
   CREATE TABLE $schema.authors (
     document_id bigint NOT NULL,
     user_id text COLLATE "C" NOT NULL,
     last_seq bigint NOT NULL,
     PRIMARY KEY (document_id, user_id)
   );
   COMMENT ON TABLE $schema.authors IS 'The last update of each person, among those that a snapshot holds';
   CREATE TABLE $schema.tombstones (
     name text COLLATE "C" PRIMARY KEY,
     deleted_at timestamptz NOT NULL,
     crc bigint NOT NULL,
     content bytea NOT NULL
   );
   COMMENT ON TABLE $schema.tombstones IS 'State vector and delete set of the deleted documents of a name'`,
]

/** Any number, the same for all nodes: one node at a time updates the schema. */
const lockKey = 0x79_70_72_6f

/**
 * Brings the schema up to date; several nodes can call it at once. A current schema is not touched, so that a role
 * without the right to create anything is enough from then on.
 * @throws Error if a newer version has updated the schema, or the role lacks the right
 */
export async function migrate (client: pg.ClientBase, name: string): Promise<void> {
  const schema = quoteIdentifier(name)
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
    await refuseOtherEncodings(client)
    const applied = await countApplied(client, name, schema)
    if (applied > steps.length) throw new Error(`The schema ${name} has version ${applied}, and this version of y-provider supports only ${steps.length}: run the version that wrote it, or a newer one`)
    for (const [at, step] of steps.entries()) {
      if (at < applied) continue
      await client.query(step.replaceAll('$schema', schema))
      await client.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [at + 1])
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

async function countApplied (client: pg.ClientBase, name: string, schema: string): Promise<number> {
  const { rows: [found] } = await client.query<{ schema: boolean, migrations: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS schema,
            EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'migrations') AS migrations`, [name])
  if (!found?.schema) await client.query(`CREATE SCHEMA ${schema}`)
  if (!found?.migrations) await client.query(`CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`)
  const { rows: [latest] } = await client.query<{ version: number | null }>(`SELECT max(version) AS version FROM ${schema}.migrations`)
  return latest?.version ?? 0
}

async function refuseOtherEncodings (client: pg.ClientBase): Promise<void> {
  const { rows: [row] } = await client.query<{ server_encoding: string }>('SHOW server_encoding')
  if (row?.server_encoding !== 'UTF8') throw new Error(`The database has the encoding ${row?.server_encoding}, but names of documents need UTF8`)
}

/** A name as SQL quotes it. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
