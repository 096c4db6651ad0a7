/** Sentences about the database or its URL, by SQLSTATE and Node's codes. */
const reasons: Readonly<Record<string, string>> = {
  '28P01': 'the server rejects the user or the password (special characters must be percent-encoded)',
  28000: 'the server does not admit this user: see its pg_hba.conf',
  '3D000': 'the server has no such database',
  42501: 'the user lacks the right to create or use the schema',
  25006: 'the server accepts no writes: it is read-only or a standby',
  40001: 'the server cancelled the statement: it conflicted with another one',
  '40P01': 'the server cancelled the statement: it conflicted with another one',
  57014: 'the server cancelled the statement: it took too long, or an administrator cancelled it',
  53100: 'the disk of the server is full',
  53200: 'the server is out of memory',
  53300: 'the server has no connection left',
  '57P01': 'the server ended the connection: it is stopping, or an administrator ended it',
  '57P02': 'the server ended the connection: it has crashed',
  '57P03': 'the server is starting or stopping',
  ECONNREFUSED: 'nothing listens on this host and port',
  ECONNRESET: 'the server closed the connection',
  EPIPE: 'the server closed the connection',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the host is unreachable',
  ETIMEDOUT: 'the host does not answer',
  ENOTFOUND: 'the host name cannot be resolved',
  EAI_AGAIN: 'the host name cannot be resolved now',
  ENOENT: 'the socket or a certificate file is missing',
  EACCES: 'the socket or a certificate file cannot be opened by this user',
}

/** Messages of `pg` itself: those errors have no code. */
const messages: ReadonlyArray<readonly [words: RegExp, reason: string]> = [
  [/timeout/, 'the host does not answer'],
  [/terminated|not queryable|was closed/, 'the server closed the connection'],
  [/establishing an SSL connection/, 'the service on this host and port is not PostgreSQL'],
]

/**
 * An error of PostgreSQL, of its driver or of the connection. The message is the driver's and only for the log: it can
 * repeat values.
 */
export class PostgresError extends Error {
  override readonly name = 'PostgresError'
  /** SQLSTATE, or Node's code. */
  readonly code: string | undefined

  constructor (cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.code = (cause as { code?: string }).code // errors of pg and of Node
  }
}

/**
 * The reason why PostgreSQL failed, as one sentence without any part of the URL: a part of a password that is not
 * percent-encoded can look like the host, the user or the database that an error message names.
 */
export function postgresFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  // Errors of Node and of the server have a code. Those of connection.ts and of pg have none, and contain no values.
  const { code } = error as { code?: string }
  if (code !== undefined) return reasons[code] ?? `code ${code}`
  return messages.find(([words]) => words.test(error.message))?.[1] ?? error.message
}
