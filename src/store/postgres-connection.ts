import pg from 'pg'

/** How long to wait for a connection, and for the answer to one statement, before it counts as failed. */
const CONNECT_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 60_000

/** What `pg` says where libpq's `prefer` goes on without TLS. */
const NO_TLS_THERE = 'The server does not support SSL connections'

/**
 * What `pg` needs to connect as libpq (psql, Django) would by the same URL: `sslmode` with libpq's meaning, certificate
 * files, ~/.pgpass, and without `sslmode` TLS where the server has it. Nothing is set by start parameters that a
 * transaction pooler refuses.
 * @throws Error where the server cannot be reached or does not let us in
 */
export async function connectionOptions (url: string): Promise<pg.PoolConfig> {
  const { connectionString, prefersTls } = readUrl(url)
  const plain: pg.PoolConfig = {
    connectionString,
    application_name: 'y-provider',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  }
  if (prefersTls) {
    const encrypted = { ...plain, ssl: { rejectUnauthorized: false } }
    try {
      await tryOut(encrypted)
      return encrypted
    } catch (error) {
      if (!(error instanceof Error) || error.message !== NO_TLS_THERE) throw error
    }
  }
  await tryOut(plain)
  return plain
}

function readUrl (url: string): { connectionString: string, prefersTls: boolean } {
  const [address = '', query = ''] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  const mode = parameters.get('sslmode')
  // pg's own, which libpq does not know.
  if (mode === 'no-verify') return { connectionString: url, prefersTls: false }
  if (mode !== null && mode !== 'prefer' && mode !== 'allow') {
    parameters.set('uselibpqcompat', 'true')
    return { connectionString: `${address}?${parameters}`, prefersTls: false }
  }
  parameters.delete('sslmode')
  const connectionString = `${address}?${parameters}`
  return { connectionString, prefersTls: !new pg.Client({ connectionString }).host.startsWith('/') }
}

async function tryOut (options: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(options)
  try {
    await client.connect()
  } finally {
    await client.end()
  }
}
