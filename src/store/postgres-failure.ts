/** SQLSTATE codes, and Node's, of what goes wrong between a start and PostgreSQL. The subject is the database or its URL. */
const reasons: Readonly<Record<string, string>> = {
  '28P01': 'the server rejects the user or the password (special characters must be percent-encoded)',
  28000: 'the server does not let this user in: see its pg_hba.conf',
  '3D000': 'the server has no such database',
  42501: 'the user lacks the right to create or use the schema',
  53300: 'the server has no connection left',
  '57P03': 'the server is starting or stopping',
  ECONNREFUSED: 'nothing listens on this host and port',
  ECONNRESET: 'the server closed the connection',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'the host does not answer',
  ENOTFOUND: 'the host name cannot be resolved',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ENOENT: 'the socket or a certificate file is missing',
  EACCES: 'the socket or a certificate file cannot be opened by this user',
}

/** What `pg` says where a connection takes longer than it may. */
const timedOut = /timeout/

/**
 * Why the store in PostgreSQL could not be opened, as one sentence. It never holds a part of the URL: where a password is not
 * percent-encoded, a part of it may have been taken for the host, the user or the database that an error message names.
 */
export function postgresFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  // Errors of Node and of the server have a code; those of postgres-connection.ts and of pg have none, and name no values.
  const { code } = error as { code?: string }
  if (code !== undefined) return reasons[code] ?? `code ${code}`
  return timedOut.test(error.message) ? 'the host does not answer' : error.message
}
