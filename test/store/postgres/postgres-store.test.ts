import t, { type Test } from 'tap'
import { openPostgresStore, type PostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { storeContract } from '../contract/store-contract.ts'
import type { Subject } from '../contract/subject.ts'
import { startPostgres } from '../postgres-server.ts'
import { quiet } from '../quiet-logger.ts'

const server = await startPostgres()
t.teardown(() => server.stop())

let schemas = 0

/** A store in an empty schema, as a role that owns nothing else. */
async function open (t: Test): Promise<Subject & { schema: string, url: string, store: PostgresStore }> {
  const schema = `s${++schemas}`
  const url = await server.makeSchema(schema)
  const opened: PostgresStore[] = []
  t.teardown(async () => { for (const store of opened) await store.close() })
  const reopen = async () => {
    const store = await openPostgresStore({ url, schema, logger: quiet, connections: 4 })
    opened.push(store)
    return store
  }
  return {
    schema,
    url,
    store: await reopen(),
    reopen,
    damage: async (document, what) => server.asAdmin(async (client) => {
      const id = `(SELECT id FROM ${schema}.documents WHERE name = '${document}')`
      const flip = (column: string) => `${column} = set_byte(${column}, 40, get_byte(${column}, 40) # 1)`
      if (what === 'entry') await client.query(`UPDATE ${schema}.updates SET ${flip('content')} WHERE document_id = ${id}`)
      else if (what === 'piece') await client.query(`UPDATE ${schema}.pieces SET ${flip('content')} WHERE document_id = ${id}`)
      else if (what === 'tombstone') await client.query(`UPDATE ${schema}.tombstones SET ${flip('content')} WHERE name = $1`, [document])
      else if (what === 'aside') await client.query(`UPDATE ${schema}.set_aside SET ${flip('content')} WHERE document_id = ${id}`)
      else await client.query(`UPDATE ${schema}.documents SET ${flip('known')} WHERE id = ${id}`)
    }),
  }
}

await t.test('The store in PostgreSQL obeys the contract', async (t) => storeContract(t, open))
