import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

/** How long to wait for the first connection: a start that fails must say so within 10 s. */
const FIRST_CONNECT_TIMEOUT_MS = 5000
/** How long to wait for a later connection, and for the answer to one statement, before it counts as failed. */
const CONNECT_TIMEOUT_MS = 10_000
const QUERY_TIMEOUT_MS = 60_000

/** What `pg` says where libpq's `prefer` goes on without TLS. */
const NO_TLS_THERE = 'The server does not support SSL connections'
/** The server's code where its pg_hba.conf does not let this role in, perhaps only because it comes with TLS. */
const NOT_LET_IN = '28000'
/** What `pg` says where it was asked for a password and has none. */
const NO_PASSWORD = /client password must be a string/

/** libpq's, and pg's own `no-verify`. */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/**
 * What `pg` needs to connect as libpq (psql, Django) would by the same URL and environment: `sslmode` with libpq's
 * meaning, certificate files, ~/.pgpass, and without `sslmode` TLS where the server has it. docs/operations.md says what
 * differs. Nothing is set by start parameters that a transaction pooler refuses.
 * @throws Error where the server cannot be reached or does not let us in
 */
export async function connectionOptions (url: string): Promise<pg.PoolConfig> {
  const [first, second] = waysIn(url)
  try {
    return await tryOut(first)
  } catch (error) {
    const isRefused = isNotLetIn(error)
    if (second === undefined || !(isRefused || (error instanceof Error && error.message === NO_TLS_THERE))) throw error
    return await tryOut(second).catch((later: unknown) => { throw isRefused && isNotLetIn(later) ? error : later })
  }
}

const isNotLetIn = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === NOT_LET_IN

/** The same URL as `pg` understands it; where it may be with TLS or without, first with. */
function waysIn (url: string): [first: string, second?: string] {
  const { address, parameters } = takeApart(url)
  refuseSeveralHosts(address, parameters)
  const { mode, root } = readTls(parameters)
  for (const name of ['sslmode', 'sslrootcert']) parameters.delete(name)
  nameClientCertificate(parameters)
  const withMode = (sslmode: string, more: Record<string, string> = {}): string =>
    `${address}?${new URLSearchParams({ ...Object.fromEntries(parameters), sslmode, ...sslmode === 'no-verify' ? {} : { uselibpqcompat: 'true' }, ...more })}`
  if (isLocal(withMode('prefer'))) return [withMode('disable')]
  // libpq verifies here too where it has a certificate, and goes on without any TLS where that fails: nothing is won by it.
  if (mode === 'prefer' || mode === 'allow') return [withMode('prefer'), withMode('disable')]
  return [withMode(mode, root === undefined ? {} : { sslrootcert: root })]
}

/** As libpq does: only the first ? outside of name and password is a separator, # is none, + is a +, and of parameters that are said twice the last one holds. */
function takeApart (url: string): { address: string, parameters: URLSearchParams } {
  const start = /^\w+:\/\/[^/@]*@/.exec(url)?.[0].length ?? 0
  const at = url.indexOf('?', start)
  const end = at === -1 ? url.length : at
  const parameters = new URLSearchParams()
  for (const [name, value] of new URLSearchParams(url.slice(end + 1).replaceAll('+', '%2B'))) {
    if (name === 'ssl' && value !== 'true') throw new Error('ssl in the URL must be true: use sslmode')
    if (name === 'ssl') parameters.set('sslmode', 'require')
    else parameters.set(name, value)
  }
  return { address: url.slice(0, end).replaceAll('?', '%3F').replaceAll('#', '%23'), parameters }
}

/** libpq tries them in their order; `pg` takes the list for one name. */
function refuseSeveralHosts (address: string, parameters: URLSearchParams): void {
  const [, authority = ''] = /^[^:]*:\/\/([^/]*)/.exec(address) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  // eslint-disable-next-line no-restricted-properties -- libpq's variables are no settings of ours
  const given = parameters.get('host') || hosts || process.env['PGHOST'] || ''
  if (!given.includes(',')) return
  throw new Error('Several hosts of PostgreSQL in one URL are not supported: give one that leads to whichever server takes writes, such as a virtual address or a pooler (PgBouncer, HAProxy)')
}

/** Who the client is, for a server that asks for its certificate: in the URL, else by libpq's variables, else its files. */
function nameClientCertificate (parameters: URLSearchParams): void {
  // eslint-disable-next-line no-restricted-properties -- as above
  const { PGSSLCERT, PGSSLKEY } = process.env
  for (const [name, variable, file] of [['sslcert', PGSSLCERT, 'postgresql.crt'], ['sslkey', PGSSLKEY, 'postgresql.key']] as const) {
    const path = parameters.get(name) || variable || inPostgresFolder(file)
    if (path !== undefined) parameters.set(name, path)
  }
}

/** By a Unix socket, where libpq ignores `sslmode`. */
const isLocal = (connectionString: string): boolean => new pg.Client({ connectionString }).host.startsWith('/')

/** How to encrypt, and the file of the authorities to trust; without it Node's own. */
function readTls (parameters: URLSearchParams): { mode: string, root: string | undefined } {
  // eslint-disable-next-line no-restricted-properties -- libpq's variables are no settings of ours: pg reads the others itself, and takes PGSSLMODE for something else
  const { PGSSLMODE, PGSSLROOTCERT } = process.env
  const root = parameters.get('sslrootcert') || PGSSLROOTCERT || inPostgresFolder('root.crt')
  const mode = parameters.get('sslmode') ?? PGSSLMODE ?? (root === 'system' ? 'verify-full' : 'prefer')
  if (!sslModes.includes(mode)) throw new Error(`sslmode is none of ${sslModes.join(', ')}`)
  if (mode === 'verify-ca' && root === undefined) throw new Error('sslmode=verify-ca needs the certificate to verify by: sslrootcert in the URL, PGSSLROOTCERT, or ~/.postgresql/root.crt')
  if (root === 'system' && mode !== 'verify-full') throw new Error(`sslrootcert=system needs sslmode=verify-full, not ${mode}: anybody can have a certificate of a public authority`)
  return { mode, root: root === 'system' || mode === 'no-verify' || mode === 'disable' ? undefined : root }
}

/** Where libpq looks for files that nobody names. */
function inPostgresFolder (name: string): string | undefined {
  const file = join(homedir(), '.postgresql', name)
  return existsSync(file) ? file : undefined
}

/** @returns options by which a connection has been made */
async function tryOut (connectionString: string): Promise<pg.PoolConfig> {
  const options: pg.PoolConfig = {
    connectionString,
    application_name: 'y-provider',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  }
  const client = new pg.Client({ ...options, connectionTimeoutMillis: FIRST_CONNECT_TIMEOUT_MS })
  try {
    await client.connect()
    return options
  } catch (error) {
    if (!(error instanceof Error) || !NO_PASSWORD.test(error.message)) throw error
    throw new Error('PostgreSQL asks for a password, and there is none: not in the URL, in PGPASSWORD, or in the file PGPASSFILE or ~/.pgpass, which nobody but its owner may read', { cause: error })
  } finally {
    await client.end()
  }
}
