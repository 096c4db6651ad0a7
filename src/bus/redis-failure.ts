/** Messages of Redis or its client when a node is rejected, and their meaning. The subject is the server or its URL. */
const reasons: ReadonlyArray<readonly [said: RegExp, reason: string]> = [
  [/WRONGPASS|invalid password/, 'the server rejects the user or the password (special characters must be percent-encoded)'],
  [/NOAUTH/, 'the server asks for a password'],
  [/NOPERM/, 'the user lacks the right to publish or to subscribe'],
  [/Unknown RESP type/, 'the service on this host and port is not Redis'],
  [/cluster support disabled/, 'the server is not part of a Redis Cluster'],
  [/DB index is out of range/, 'the server has no database with this number'],
  [/No such master|ERR no such master/i, 'the Sentinels know no master with this name'],
  [/altnames/, 'the certificate is for another host name'],
]

/** Why Redis rejects a node, as one sentence without any part of the URL. */
export function redisFailure (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const { message, code } = error as NodeJS.ErrnoException
  return reasons.find(([said]) => said.test(message))?.[1] ?? (message || code || error.name)
}
