/** The form of a DATABASE_URL, as the end of a sentence "must be …". */
export const postgresUrlForm = 'a URL such as postgres://user:password@host:5432/database; in the user and password, write % as %25, @ as %40, / as %2F, ? as %3F, # as %23'

/** One host of the list: a name, an address or nothing, with or without a port. */
const hostAndPort = /^(?:\[[\da-f:.%]+\]|[^:[\]#\s]*)(?::\d{1,5})?$/i

/**
 * Whether the URL can lead to a database. If special characters of a password are not percent-encoded, a part of it
 * looks like the host, the port, the database or a parameter: then an @ or another such character is where none can be.
 */
export function isPostgresUrl (url: string): boolean {
  const parts = /^postgres(?:ql)?:\/\/(?=.)(?:[^/@]*@)?(?<hosts>[^/?]*)(?<path>[^?]*)(?:\?(?<query>.*))?$/s.exec(url)?.groups
  if (parts === undefined) return false
  const { hosts = '', path = '', query = '' } = parts
  const names = query.split('&').map((parameter) => parameter.split('=', 1)[0] ?? '')
  // The last of several @ ends the password.
  return hosts.slice(hosts.lastIndexOf('@') + 1).split(',').every((host) => hostAndPort.test(host)) &&
    !path.includes('@') && names.every((name) => /^\w*$/.test(name)) && isDecodable(url)
}

function isDecodable (text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
