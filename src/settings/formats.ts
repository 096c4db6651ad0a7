import { BlockList, isIP } from 'node:net'
import { isAllowableOrigin } from '../access/allowed-origins.ts'
import { parseRedisUrl, redisUrlForms } from '../bus/redis-address.ts'
import { isPostgresUrl, postgresUrlForm } from '../store/postgres/postgres-url.ts'

/** A rule for a setting's text: the check, and its description as the end of a sentence "NAME must be …". */
interface Format { readonly wanted: string, readonly check: (text: string) => boolean }

/** The formats that `settingsSchema` names. */
export const formats: Readonly<Record<string, Format>> = {
  'header-value': {
    wanted: 'printable ASCII, because it travels in an HTTP header',
    check: (text) => /^[\x20-\x7e]*$/.test(text),
  },
  origin: {
    wanted: 'origins such as https://docs.example.org or https://*.example.org, comma separated, without a path',
    check: isAllowableOrigin,
  },
  pattern: {
    wanted: 'a regular expression as JavaScript reads it with the u flag',
    check: isPattern,
  },
  'http-url': {
    wanted: 'a URL that begins with http:// or https://, without user, query and fragment',
    check: (text) => text === '' || isHttpUrl(text),
  },
  'postgres-url': {
    wanted: postgresUrlForm,
    check: (text) => text === '' || isPostgresUrl(text),
  },
  'redis-url': {
    wanted: redisUrlForms,
    check: (text) => text === '' || parseRedisUrl(text) !== undefined,
  },
  'redis-prefix': {
    wanted: '1 to 64 letters, digits, dots, dashes and underscores',
    check: (text) => /^[\w.-]{1,64}$/.test(text),
  },
  path: {
    wanted: 'a path that begins with /',
    check: (text) => /^\/[\x21-\x7e]*$/.test(text),
  },
  'room-path': {
    wanted: 'a path that begins with / and contains {room}',
    check: (text) => /^\/[\x21-\x7e]*$/.test(text) && text.includes('{room}'),
  },
  'cookie-name': {
    wanted: 'names of cookies, comma separated',
    check: (text) => /^[\w!#$%&'*.^`|~+-]+$/.test(text),
  },
  'trust-proxy': {
    wanted: 'false, true, or addresses and networks such as 127.0.0.1, 10.0.0.0/8, loopback, comma separated',
    check: isTrustProxy,
  },
}

/** Whether the URL can be followed by a path. */
function isHttpUrl (text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return username + password + search + hash === ''
}

function isPattern (text: string): boolean {
  try {
    return text !== '' && new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** The names of networks in `@fastify/proxy-addr`. */
const namedNetworks = ['loopback', 'linklocal', 'uniquelocal']

function isTrustProxy (text: string): boolean {
  return text === 'true' || text === 'false' || text.split(',').every((part) => {
    const entry = part.trim()
    return namedNetworks.includes(entry) || isIP(entry) !== 0 || isNetwork(entry)
  })
}

function isNetwork (text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false
  try {
    new BlockList().addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    return false
  }
}
