import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

/** ms to wait for the first connection: a start must fail within 10 s. */
const firstConnectTimeoutMs = 5000
/** ms to wait for a later connection. */
const connectTimeoutMs = 10_000
/** ms to wait for the result of one statement. */
const queryTimeoutMs = 60_000

/** `pg`'s message, without a code, for a server without TLS: libpq's `prefer` then connects without TLS. */
const noTlsMessage = 'The server does not support SSL connections'
/** The server's code if its pg_hba.conf does not admit this role, perhaps only because of TLS. */
const invalidAuthorizationCode = '28000'
/** `pg`'s message, without a code, if the server asks for a password and there is none. */
const noPasswordMessage = /client password must be a string/

/** The modes of libpq, and `pg`'s own `no-verify`. */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/**
 * The options with which `pg` connects as libpq (psql, Django) does with the same URL and environment: `sslmode` with
 * libpq's meaning, certificate files, ~/.pgpass, and TLS by default if the server offers it. docs/operations.md lists
 * the differences. It sets no start parameters, because a transaction pooler rejects them.
 * @throws Error if the server cannot be reached or does not admit this user
 */
export async function connectionOptions (url: string): Promise<pg.PoolConfig> {
  const [first, second] = connectionStrings(url)
  try {
    return await tryOut(first)
  } catch (error) {
    const isRefused = isNotAdmitted(error)
    if (second === undefined || !(isRefused || (error instanceof Error && error.message === noTlsMessage))) throw error
    return await tryOut(second).catch((later: unknown) => { throw isRefused && isNotAdmitted(later) ? error : later })
  }
}

const isNotAdmitted = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === invalidAuthorizationCode

/** The URL as `pg` understands it; if TLS is optional, first with TLS and then without. */
function connectionStrings (url: string): [first: string, second?: string] {
  const { address, parameters } = splitUrl(url)
  refuseSeveralHosts(address, parameters)
  const { mode, root } = readTls(parameters)
  for (const name of ['sslmode', 'sslrootcert']) parameters.delete(name)
  nameClientCertificate(parameters)
  const withMode = (sslmode: string, more: Record<string, string> = {}): string =>
    `${address}?${new URLSearchParams({ ...Object.fromEntries(parameters), sslmode, ...sslmode === 'no-verify' ? {} : { uselibpqcompat: 'true' }, ...more })}`
  if (isLocal(withMode('prefer'))) return [withMode('disable')]
  // In these modes libpq verifies too if it has a certificate, but then continues without TLS, which protects nothing.
  if (mode === 'prefer' || mode === 'allow') return [withMode('prefer'), withMode('disable')]
  return [withMode(mode, root === undefined ? {} : { sslrootcert: root })]
}

/**
 * Splits a URL as libpq does: only the first ? outside of name and password is a separator, # is not, + is a +, and
 * the last of two equal parameters counts.
 */
function splitUrl (url: string): { address: string, parameters: URLSearchParams } {
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

/** libpq tries several hosts in order, but `pg` takes the list for one name. */
function refuseSeveralHosts (address: string, parameters: URLSearchParams): void {
  const [, authority = ''] = /^[^:]*:\/\/([^/]*)/.exec(address) ?? []
  const hosts = authority.slice(authority.lastIndexOf('@') + 1)
  const given = parameters.get('host') || hosts || libpqVariable('PGHOST') || ''
  if (!given.includes(',')) return
  throw new Error('Several hosts of PostgreSQL in one URL are not supported: use one that leads to the server that accepts writes, such as a virtual address or a pooler (PgBouncer, HAProxy)')
}

/** Adds the client's certificate: from the URL, otherwise from libpq's variables, otherwise from libpq's files. */
function nameClientCertificate (parameters: URLSearchParams): void {
  const sources = [['sslcert', 'PGSSLCERT', 'postgresql.crt'], ['sslkey', 'PGSSLKEY', 'postgresql.key']] as const
  for (const [name, variable, file] of sources) {
    const path = parameters.get(name) || libpqVariable(variable) || inPostgresFolder(file)
    if (path !== undefined) parameters.set(name, path)
  }
}

/** Whether the URL leads to a Unix socket, for which libpq ignores `sslmode`. */
const isLocal = (connectionString: string): boolean => new pg.Client({ connectionString }).host.startsWith('/')

/** The TLS mode, and the file of trusted authorities; undefined: Node's own. */
function readTls (parameters: URLSearchParams): { mode: string, root: string | undefined } {
  const root = parameters.get('sslrootcert') || libpqVariable('PGSSLROOTCERT') || inPostgresFolder('root.crt')
  const mode = parameters.get('sslmode') ?? libpqVariable('PGSSLMODE') ?? (root === 'system' ? 'verify-full' : 'prefer')
  if (!sslModes.includes(mode)) throw new Error(`sslmode must be one of ${sslModes.join(', ')}`)
  if (mode === 'verify-ca' && root === undefined) throw new Error('sslmode=verify-ca needs the certificate of the authority: sslrootcert in the URL, PGSSLROOTCERT, or ~/.postgresql/root.crt')
  if (root === 'system' && mode !== 'verify-full') throw new Error(`sslrootcert=system needs sslmode=verify-full, not ${mode}: anyone can get a certificate from a public authority`)
  return { mode, root: root === 'system' || mode === 'no-verify' || mode === 'disable' ? undefined : root }
}

/** A variable of libpq. `pg` itself reads those that it understands as libpq does. */
function libpqVariable (name: string): string | undefined {
  // eslint-disable-next-line no-restricted-properties -- libpq's variables are not settings of the service
  return process.env[name]
}

/** A file in libpq's default folder; undefined if it does not exist. */
function inPostgresFolder (name: string): string | undefined {
  const file = join(homedir(), '.postgresql', name)
  return existsSync(file) ? file : undefined
}

/** Connects once. @returns the options that worked */
async function tryOut (connectionString: string): Promise<pg.PoolConfig> {
  const options: pg.PoolConfig = {
    connectionString,
    application_name: 'y-provider',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  }
  const client = new pg.Client({ ...options, connectionTimeoutMillis: firstConnectTimeoutMs })
  try {
    await client.connect()
    return options
  } catch (error) {
    if (!(error instanceof Error) || !noPasswordMessage.test(error.message)) throw error
    throw new Error('PostgreSQL asks for a password, and there is none in the URL, in PGPASSWORD, or in the file PGPASSFILE or ~/.pgpass, which only its owner must be able to read', { cause: error })
  } finally {
    await client.end()
  }
}
