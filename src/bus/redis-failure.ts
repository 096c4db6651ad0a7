/**
 * Reasons why Redis rejects a node, by the code of its error reply or by Node's code. The subject is the server or its
 * URL.
 */
const reasons: Readonly<Record<string, string>> = {
  WRONGPASS: 'the server rejects the user or the password (special characters must be percent-encoded)',
  NOAUTH: 'the server asks for a password',
  NOPERM: 'the user lacks the right to publish or to subscribe',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
}

/**
 * Reasons for errors without a code of their own: Redis replies `ERR`, and the client's parser throws a plain Error.
 */
const messages: ReadonlyArray<readonly [message: RegExp, reason: string]> = [
  [/invalid password/, 'the server rejects the user or the password (special characters must be percent-encoded)'],
  [/Unknown RESP type/, 'the service on this host and port is not Redis'],
  [/cluster support disabled/, 'the server is not part of a Redis Cluster'],
  [/DB index is out of range/, 'the server has no database with this number'],
  [/no such master/i, 'the Sentinels know no master with this name'],
]

/** Why Redis rejects a node, as one sentence without any part of the URL. */
export function redisFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { message, code } = error as NodeJS.ErrnoException
  const known = causesOf(error).map((cause) => reasons[codeOf(cause)]).find((reason) => reason !== undefined)
  return known ?? messages.find(([pattern]) => pattern.test(message))?.[1] ?? (message || code || error.name)
}

/** An error and its causes: the client of Sentinel wraps the errors of its connections. */
export function causesOf (error: Error): Error[] {
  return error.cause instanceof Error ? [error, ...causesOf(error.cause)] : [error]
}

/**
 * Node's code of an error, or the code of an error reply of Redis, which is the first word of the reply.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
export function codeOf (error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message.split(' ', 1)[0] ?? ''
}
