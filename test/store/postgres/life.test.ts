import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import t, { type Test } from 'tap'
import { statements } from '../../../src/store/postgres/statements.ts'
import { openPostgresStore, type PostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { startPooler } from '../pgbouncer.ts'
import { startPostgres } from '../postgres-server.ts'
import { quiet } from '../quiet-logger.ts'

const server = await startPostgres({ tls: true })
t.teardown(() => server.stop())

const bytes = (text: string) => new TextEncoder().encode(text)

let schemas = 0

async function makeSchema (): Promise<{ schema: string, url: string }> {
  const schema = `life${++schemas}`
  return { schema, url: await server.makeSchema(schema) }
}

async function open (t: Test, options: { schema: string, url: string, connections?: number }): Promise<PostgresStore> {
  const store = await openPostgresStore({ ...options, logger: quiet })
  t.teardown(() => store.close())
  return store
}

await t.test('Nodes that start at once create the tables once', async (t) => {
  const place = await makeSchema()
  const stores = await Promise.all(Array.from({ length: 6 }, () => open(t, place)))
  await Promise.all(stores.map((store, at) => store.append([{ document: 'a', update: bytes(`${at}`) }])))
  t.equal((await stores[0]?.load('a'))?.log.length, 6)
})

await t.test('Several nodes append to the same documents at once: all succeed, and a reader that follows misses nothing', async (t) => {
  const place = await makeSchema()
  const nodes = await Promise.all(Array.from({ length: 4 }, () => open(t, { ...place, connections: 5 })))
  const [reader = nodes[0]] = [await open(t, place)]
  const documents = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const rounds = 60
  let writing = true
  const follow = async (document: string) => {
    let seen = 0
    for (let last = false; !last;) {
      last = !writing
      for (const { seq } of (await reader?.load(document, seen))?.log ?? []) {
        if (seq !== seen + 1) throw new Error(`${document}: after ${seen} came ${seq}`)
        seen = seq
      }
    }
    return seen
  }
  const followers = Promise.all(documents.map(follow))
  const given = await Promise.all(nodes.map(async (node, at) => {
    const seqs: number[][] = []
    for (let round = 0; round < rounds; round++) {
      // Each in another order: if locks were taken in the order of the call, two calls would soon wait for each other.
      const order = [...documents.slice((round * 3 + at) % 8), ...documents.slice(0, (round * 3 + at) % 8)]
      if (at % 2) order.reverse()
      seqs.push([...await node.append(order.map((document) => ({ document, update: bytes(`${at} ${round}`) })))])
    }
    return seqs
  }))
  writing = false
  t.same(await followers, documents.map(() => nodes.length * rounds))
  t.equal(given.flat(2).length, nodes.length * rounds * documents.length)
})

await t.test('Of several nodes that create a document at once, exactly one succeeds', async (t) => {
  const place = await makeSchema()
  const nodes = await Promise.all(Array.from({ length: 3 }, () => open(t, place)))
  for (let round = 0; round < 10; round++) {
    const made = await Promise.all(Array.from({ length: 30 }, (_, at) => nodes[at % 3]?.create(`doc ${round}`, bytes(`${at}`))))
    if (made.filter(Boolean).length !== 1) return t.fail(`${made.filter(Boolean).length} made it`)
  }
  t.pass('ten times, one of 30')
})

await t.test('A document that one node removes while others append is never partly there', async (t) => {
  const place = await makeSchema()
  const [one, two] = [await open(t, place), await open(t, place)]
  for (let round = 0; round < 30; round++) {
    await one.append([{ document: 'a', update: bytes('before') }])
    const [[seq = 0]] = await Promise.all([two.append([{ document: 'a', update: bytes('meanwhile') }]), one.remove('a')])
    const stored = await one.load('a')
    if (stored && (stored.log.length !== 1 || stored.log[0]?.seq !== seq)) return t.fail(`round ${round}: ${stored.log.length} entries`)
    await one.remove('a')
  }
  const orphans = await server.asAdmin((client) => client.query(`SELECT count(*)::int AS n FROM ${place.schema}.updates`))
  t.equal(orphans.rows[0]?.n, 0)
})

await t.test('A removal and a compaction wait for an append in progress, and include it', async (t) => {
  const place = await makeSchema()
  const store = await open(t, place)
  for (const act of ['remove', 'compact'] as const) {
    await store.append([{ document: 'a', update: bytes('before') }, { document: 'a', update: bytes('before') }])
    const upTo = ((await store.load('a'))?.lastSeq ?? 0) - 1
    await server.asAdmin(async (client) => {
      await client.query('BEGIN')
      await client.query(statements(place.schema).append, [['a'], [0], [8], [crc32('a', crc32('on the way'.slice(0, 8)))], Buffer.from('on the way'), [null], [0], ['a']])
      const acting = act === 'remove' ? store.remove('a') : store.compact('a', { replaces: 0, upTo, pieces: [bytes('x')], known: bytes('k') })
      await waiting(place.schema)
      await client.query('COMMIT')
      t.ok(await acting)
    })
    if (act === 'compact') t.match(await store.load('a'), { log: [{ seq: upTo + 1 }, { seq: upTo + 2 }], lastSeq: upTo + 2 })
    const { rows: [row] } = await server.asAdmin((client) => client.query(`SELECT count(*)::int AS updates, coalesce((SELECT sum(log_entries) FROM ${place.schema}.documents), 0)::int AS told FROM ${place.schema}.updates`))
    t.same(row, act === 'remove' ? { updates: 0, told: 0 } : { updates: 2, told: 2 })
  }
})

await t.test('A statement for many documents locks them in the order of their names, whatever the order of the call', async (t) => {
  const place = await makeSchema()
  const store = await open(t, place)
  await store.append(['a', 'm', 'z'].map((document) => ({ document, update: bytes('1') })))
  await server.asAdmin(async (client) => {
    const lock = (name: string) => client.query(`SELECT FROM ${place.schema}.documents WHERE name = $1 FOR UPDATE NOWAIT`, [name])
    await client.query('BEGIN')
    await lock('m')
    const appended = store.append(['z', 'm', 'a'].map((document) => ({ document, update: bytes('2') })))
    await waiting(place.schema)
    // It waits for "m" and does not hold "z", so the holder of "m" can lock "z".
    await t.resolves(lock('z'))
    await client.query('COMMIT')
    t.same(await appended, [2, 2, 2])
  })
})

/** Resolves when a connection of this role waits for a lock. */
async function waiting (role: string): Promise<void> {
  await server.asAdmin(async (client) => {
    for (;;) {
      const { rows } = await client.query("SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'", [role])
      if (rows.length > 0) return
    }
  })
}

await t.test('Of several nodes that compact at once, one wins, and no append is rejected', async (t) => {
  const place = await makeSchema()
  const nodes = await Promise.all(Array.from({ length: 3 }, () => open(t, place)))
  const first = nodes[0] ?? await open(t, place)
  for (let round = 0; round < 10; round++) {
    await first.append([{ document: 'a', update: bytes('x') }])
    const { snapshot, lastSeq } = await first.load('a') ?? { snapshot: undefined, lastSeq: 0 }
    const heads = await Promise.all(nodes.map((node, at) => node.compact('a', { replaces: snapshot?.generation ?? 0, upTo: lastSeq, pieces: [new Uint8Array(20_000).fill(at), bytes(`${at}`)], known: bytes(`${at}`) })))
    const winner = heads.findIndex((head) => head !== undefined)
    if (heads.filter((head) => head !== undefined).length !== 1) return t.fail('not one')
    t.same(await first.readPiece('a', heads[winner]?.generation ?? 0, 1), bytes(`${winner}`))
  }
  const { rows: [row] } = await server.asAdmin((client) => client.query(`SELECT count(*)::int AS n FROM ${place.schema}.pieces`))
  t.equal(row?.n, 2, 'only the pieces of the winner are left')
})

await t.test('A role that can only read and write rows is enough once the tables exist', async (t) => {
  const place = await makeSchema()
  await (await open(t, place)).close()
  await server.asAdmin(async (client) => {
    await client.query(`CREATE ROLE rows_only LOGIN; GRANT USAGE ON SCHEMA ${place.schema} TO rows_only; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${place.schema} TO rows_only`)
  })
  const store = await open(t, { schema: place.schema, url: `postgres://rows_only@127.0.0.1:${server.port}/postgres` })
  t.same(await store.append([{ document: 'a', update: bytes('1') }]), [1])
  t.ok(await store.compact('a', { replaces: 0, upTo: 1, pieces: [bytes('1')], known: bytes('k'), setAside: [{ update: bytes('1'), reason: 'why' }] }))
  t.equal(await store.removeSetAside('a'), 1)
  t.ok(await store.remove('a'))
})

await t.test('A schema of a newer version is rejected', async (t) => {
  const place = await makeSchema()
  await (await open(t, place)).close()
  await server.asAdmin((client) => client.query(`INSERT INTO ${place.schema}.migrations (version) VALUES (99)`))
  await t.rejects(openPostgresStore({ ...place, logger: quiet }), /version 99, and this version of y-provider supports only 3/)
})

await t.test('A schema of the previous version is updated, and nodes of that version keep working', async (t) => {
  const place = await makeSchema()
  const before = await open(t, place)
  await before.append([{ document: 'a', update: bytes('1') }])
  await server.asAdmin((client) => client.query(`
    DROP TABLE ${place.schema}.set_aside; DROP TABLE ${place.schema}.authors; DROP TABLE ${place.schema}.tombstones;
    ALTER TABLE ${place.schema}.updates DROP COLUMN authors; DELETE FROM ${place.schema}.migrations WHERE version >= 2`))
  const store = await open(t, place)
  await store.append([{ document: 'a', update: bytes('1'), authors: ['ada'] }])
  const next = { replaces: 0, pieces: [bytes('x')], known: bytes('k'), setAside: [{ update: bytes('1'), reason: 'old' }] }
  await store.compact('a', { ...next, upTo: 2 })
  t.equal((await store.setAside('a')).length, 1)
  t.same(await store.authors('a', 0), ['ada'])
  // As version 1 removes a document: it does not know updates set aside, or authors.
  await server.asAdmin((client) => client.query(`
    DELETE FROM ${place.schema}.updates; DELETE FROM ${place.schema}.pieces;
    UPDATE ${place.schema}.documents SET removed_at = now(), base = last_seq, up_to = 0, pieces = NULL, snapshot_bytes = 0, known = NULL, known_crc = NULL, log_bytes = 0, log_entries = 0`))
  t.same(await store.setAside('a'), [])
  const [seq = 0] = await store.append([{ document: 'a', update: bytes('2') }])
  t.same(await store.authors('a', 0), [], 'nor do those who wrote')
  t.same(await store.setAside('a'), [], 'updates set aside do not pass from the removed document to the next')
  for await (const { setAside } of store.list()) t.equal(setAside, 0)
  await store.compact('a', { ...next, upTo: seq, setAside: [{ update: bytes('2'), reason: 'new' }] })
  t.match(await store.setAside('a'), [{ reason: 'new' }])
  t.equal(await store.removeSetAside('a'), 1)
})

await t.test('TLS works as libpq users expect', async (t) => {
  const { schema, url } = await makeSchema()
  const encrypted = async (query: string) => {
    const store = await openPostgresStore({ url: url + query, schema, logger: quiet, connections: 1 })
    await store.ping()
    const { rows: [row] } = await server.asAdmin((client) => client.query('SELECT bool_or(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = $1', [schema]))
    await store.close()
    return row?.ssl
  }
  t.equal(await encrypted(''), true, 'used if the server has it')
  t.equal(await encrypted('?sslmode=prefer'), true)
  t.equal(await encrypted('?sslmode=disable'), false)
  t.equal(await encrypted('?sslmode=require'), true, 'without verifying the server')
  t.equal(await encrypted(`?sslmode=verify-full&sslrootcert=${join(server.folder, 'server.crt')}`), true)
  await t.rejects(openPostgresStore({ url: `${url}?sslmode=verify-full`, schema, logger: quiet }), /self-signed certificate/)
  const socket = new URL(url)
  t.equal(await (async () => {
    const store = await openPostgresStore({ url: `postgres://${socket.username}@/postgres?host=${server.socket}&port=${server.port}`, schema, logger: quiet })
    await store.ping()
    await store.close()
    return true
  })(), true, 'by a Unix socket')
})

await t.test('If the server has no TLS, prefer connects without it, and require fails', async (t) => {
  const plain = await startPostgres()
  t.teardown(() => plain.stop())
  const url = await plain.makeSchema('plain')
  const store = await openPostgresStore({ url, schema: 'plain', logger: quiet })
  await store.ping()
  await store.close()
  await t.rejects(openPostgresStore({ url: `${url}?sslmode=require`, schema: 'plain', logger: quiet }), /does not support SSL/)
})

await t.test('A wrong address or role is reported in one sentence', async (t) => {
  await t.rejects(openPostgresStore({ url: 'postgres://x@127.0.0.1:1/postgres', logger: quiet }), /ECONNREFUSED/)
  await t.rejects(openPostgresStore({ url: `postgres://nobody_here@127.0.0.1:${server.port}/postgres`, logger: quiet }), /role "nobody_here" does not exist/)
})

await t.test('The store reconnects to a server that was restarted', async (t) => {
  const place = await makeSchema()
  const lost: string[] = []
  const store = await openPostgresStore({ ...place, logger: { ...quiet, warn: (_, message) => lost.push(message) } })
  t.teardown(() => store.close())
  await store.append([{ document: 'a', update: bytes('1') }])
  await server.restart()
  // The first call can still use the lost connection.
  await store.append([{ document: 'a', update: bytes('2') }]).catch(() => store.append([{ document: 'a', update: bytes('2') }]))
  const stored = await store.load('a')
  t.same(stored?.log.map(({ update }) => new TextDecoder().decode(update)), ['1', '2'])
  t.ok(lost.length > 0)
})

await t.test('A server that accepts no writes is not ready', async (t) => {
  const place = await makeSchema()
  await (await open(t, place)).close()
  await server.asAdmin((client) => client.query(`ALTER ROLE ${place.schema} SET default_transaction_read_only = on`))
  const store = await open(t, place)
  await t.rejects(store.ping(), /accepts no writes/)
  await t.rejects(store.append([{ document: 'a', update: bytes('1') }]), /read-only transaction/)
})

await t.test('The store works through a transaction pooler', async (t) => {
  const { schema } = await makeSchema()
  const pooler = await startPooler(server.port, schema)
  t.teardown(() => pooler.stop())
  const url = `postgres://${schema}@127.0.0.1:${pooler.port}/postgres`
  const [one, two] = [await open(t, { schema, url }), await open(t, { schema, url })]
  await Promise.all(Array.from({ length: 100 }, (_, at) => (at % 2 ? one : two).append([{ document: `d${at % 5}`, update: bytes(`${at}`) }, { document: 'all', update: bytes(`${at}`) }])))
  const stored = await one.load('all')
  t.equal(stored?.log.length, 100)
  t.ok(await two.compact('all', { replaces: 0, upTo: 50, pieces: [new Uint8Array(300_000), bytes('x')], known: bytes('k') }))
  t.equal((await one.load('all', 10))?.log.length, 50)
  t.same(await one.readPiece('all', 1, 1), bytes('x'))
  t.equal(await one.create('all', bytes('y')), undefined)
  t.same(await one.appendIf({ document: 'all', update: bytes('z') }, { readAt: 100, isLast: true }), { type: 'stored', seq: 101 })
  t.equal(await two.remove('all'), true)
  const names: string[] = []
  for await (const { document } of one.list()) names.push(document)
  t.same(names, ['d0', 'd1', 'd2', 'd3', 'd4'])
})
