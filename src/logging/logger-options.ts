import { printable } from './printable.ts'

/** Receives log lines instead of standard output. */
export interface LogStream { write (line: string): void }

/** The choices that a logger leaves to its user. */
export interface LoggerChoices {
  /** The lowest level that is logged. */
  readonly level: string
  /** Whether lines are for people, not for programs; ignored with a `stream`. */
  readonly isReadable: boolean
  /** Default: standard output. */
  readonly stream?: LogStream | undefined
}

/** The part of a request that is logged. */
interface LoggedRequest {
  readonly method: string
  readonly url: string
  readonly host: string
  readonly ip: string
}

/** Query parameters whose values can be logged. Any other value could be a ticket, a session key or a secret. */
const harmless = new Set(['room', 'strict', 'fragment'])

const hidden = '[redacted]'

/** Characters of a URL in the log; the rest adds nothing. */
const maxUrlCharacters = 1000

/** The options of pino. Requests are logged without headers; the redaction is for a log line that contains some. */
export function loggerOptions ({ level, isReadable, stream }: LoggerChoices) {
  const secrets = ['authorization', 'cookie', 'token'].flatMap((name) => [name, `*.${name}`, `*.headers.${name}`])
  const forPeople = { translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true }
  return {
    level,
    redact: { paths: secrets, censor: hidden },
    serializers: { req: describeRequest, room: printableOrNone, user: printableOrNone, origin: printableOrNone },
    ...(isReadable && stream === undefined && { transport: { target: 'pino-pretty', options: forPeople } }),
    ...(stream !== undefined && { stream }),
  }
}

function describeRequest ({ method, url, host, ip }: LoggedRequest) {
  return { method, url: printable(redactQuery(url), maxUrlCharacters), host: printable(host), remoteAddress: ip }
}

/** Keeps a name from a client or from Django on one line. */
const printableOrNone = (name: string | undefined): string | undefined =>
  name === undefined ? undefined : printable(name)

/** The URL with the values of its query hidden, except those of harmless parameters. */
function redactQuery (url: string): string {
  const start = url.indexOf('?')
  if (start === -1) return url
  const parameters = url.slice(start + 1).split('&').map((parameter) => {
    const name = parameter.split('=', 1)[0] ?? ''
    if (harmless.has(name)) return parameter
    return name === 'token' || name === 'sessionKey' ? `${name}=${hidden}` : hidden
  })
  return `${url.slice(0, start)}?${parameters.join('&')}`
}
