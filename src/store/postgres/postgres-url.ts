/** What a DATABASE_URL looks like, to end the sentence "must be …". */
export const postgresUrlForm = 'a URL such as postgres://user:password@host:5432/database; in user and password % is written %25, @ %40, / %2F, ? %3F, # %23'

/** One host of the list: a name, an address, or nothing, with or without a port. */
const hostAndPort = /^(?:\[[\da-f:.%]+\]|[^:[\]#\s]*)(?::\d{1,5})?$/i

/**
 * Whether the URL can lead to a database. Special characters of a password that are not percent-encoded may make a part of it
 * look like the host, the port, the database or a parameter: then an @ or another such character stands where none can.
 */
export function isPostgresUrl (url: string): boolean {
  const parts = /^postgres(?:ql)?:\/\/(?=.)(?:[^/@]*@)?(?<hosts>[^/?]*)(?<path>[^?]*)(?:\?(?<query>.*))?$/s.exec(url)?.groups
  if (parts === undefined) return false
  const { hosts = '', path = '', query = '' } = parts
  const names = query.split('&').map((parameter) => parameter.split('=', 1)[0] ?? '')
  // Of several @ the last one ends the password.
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
