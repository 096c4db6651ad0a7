import { BlockList, isIP } from 'node:net'
import { parseRedisUrl, redisUrlForms } from '../bus/redis-address.ts'

/** A rule for a setting's text: what is wanted, as it ends the sentence "NAME must be …", and the check. Empty text is the schema's business. */
interface Format { readonly wanted: string, readonly check: (text: string) => boolean }

/** The formats that settingsSchema names. */
export const formats: Readonly<Record<string, Format>> = {
  'header-value': {
    wanted: 'printable ASCII, because it travels in an HTTP header',
    check: (text) => /^[\x20-\x7e]*$/.test(text),
  },
  origin: {
    wanted: 'origins such as https://docs.example.org, comma separated, without a path',
    check: (text) => text === '*' || isOrigin(text),
  },
  pattern: {
    wanted: 'a regular expression as JavaScript reads it with the u flag',
    check: isPattern,
  },
  'http-url': {
    wanted: 'a URL that begins with http:// or https://',
    check: (text) => text === '' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)),
  },
  'postgres-url': {
    wanted: 'a URL that begins with postgres:// or postgresql://',
    check: (text) => text === '' || /^postgres(ql)?:\/\/./.test(text),
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
    wanted: 'a path that begins with / and holds {room}',
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

/** An origin as a browser writes it. The default port is not written. */
function isOrigin (text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text
}

function isPattern (text: string): boolean {
  try {
    return text !== '' && new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** The names that `@fastify/proxy-addr` knows for networks. */
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
