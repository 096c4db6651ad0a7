/** The address of Redis, from REDIS_URL. */
export type RedisAddress =
  /** One server. */
  | { readonly kind: 'server', readonly url: string }
  /** The server that Sentinel reports as the master of this name; `nodes` are the Sentinels. */
  | { readonly kind: 'sentinel', readonly master: string, readonly sentinelLogin: Login } & Several
  /** Redis Cluster; `nodes` are some of its servers. */
  | { readonly kind: 'cluster' } & Several

/** A user and password; both optional. */
export interface Login {
  readonly username?: string
  readonly password?: string
}

interface Several {
  readonly nodes: ReadonlyArray<{ readonly host: string, readonly port: number }>
  /** The login of the servers that hold data. */
  readonly login: Login
  readonly tls: boolean
}

/** The forms of a REDIS_URL, as the end of a sentence "must be …". */
export const redisUrlForms = 'redis://host, redis+sentinel://host,host/master-name or redis+cluster://host,host (rediss… with TLS)'

const sentinelPort = 26379
const serverPort = 6379

/**
 * Reads `redis[s]://[[user]:password@]host[:port]`, `redis[s]+sentinel://[[user]:password@]host[:port],…/master-name`
 * (user and password of the servers; those of the Sentinels as `?sentinel_username=…&sentinel_password=…`) or
 * `redis[s]+cluster://[[user]:password@]host[:port],…`. User and password are percent-encoded.
 * @returns undefined for anything else
 */
export function parseRedisUrl (url: string): RedisAddress | undefined {
  if (/^rediss?:\/\//.test(url)) return isServer(url) ? { kind: 'server', url } : undefined
  const parts = /^redis(?<s>s?)\+(?<kind>sentinel|cluster):\/\/(?:(?<user>[^:@/]*):(?<password>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^/?#]*))?(?:\?(?<query>[^#]*))?$/.exec(url)?.groups
  if (parts === undefined) return undefined
  const { kind, user = '', password = '', path = '', query = '' } = parts
  const nodes = (parts['hosts'] ?? '').split(',').map((host) => parseHost(host, kind === 'sentinel' ? sentinelPort : serverPort))
  if (!nodes.every((node) => node !== undefined)) return undefined
  try {
    const several = { nodes, login: loginOf(decodeURIComponent(user), decodeURIComponent(password)), tls: parts['s'] === 's' }
    if (kind === 'cluster') return path === '' && query === '' ? { kind, ...several } : undefined
    const more = new URLSearchParams(query)
    if (path === '' || [...more.keys()].some((key) => key !== 'sentinel_username' && key !== 'sentinel_password')) return undefined
    const sentinelLogin = loginOf(more.get('sentinel_username') ?? '', more.get('sentinel_password') ?? '')
    return { kind: 'sentinel', master: decodeURIComponent(path), sentinelLogin, ...several }
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Whether the client library accepts the URL; its own errors do not name the setting. */
function isServer (url: string): boolean {
  if (!URL.canParse(url)) return false
  const { hostname, pathname, username, password, search, hash } = new URL(url)
  try {
    decodeURIComponent(username)
    decodeURIComponent(password)
  } catch {
    return false
  }
  // An @ in the query means that a ? or # of the password is not percent-encoded.
  return hostname !== '' && /^\/?\d*$/.test(pathname) && !(search + hash).includes('@')
}

function parseHost (text: string, defaultPort: number): { host: string, port: number } | undefined {
  const parts = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups
  const host = parts?.['six'] ?? parts?.['host']
  const port = Number(parts?.['port'] ?? defaultPort)
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port }
}

const loginOf = (username: string, password: string): Login => ({
  ...(username === '' ? {} : { username }),
  ...(password === '' ? {} : { password }),
})
