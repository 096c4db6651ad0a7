import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { printable } from './printable.ts'
import type { Settings } from '../settings/schema.ts'

/** What a test may hand in instead of standard output. */
export interface LogStream { write (line: string): void }

/** Query parameters whose values may be read in a log. Every other one may be a ticket, a session key or a secret. */
const harmless = new Set(['room', 'strict', 'fragment'])

const hidden = '[redacted]'

/** Characters of a URL in a log; the rest says no more of a request than its beginning. */
const maxUrlCharacters = 1000

/** pino's options. Requests are logged without headers; the redaction is for whoever logs some. */
export function loggerOptions (settings: Settings, stream?: LogStream): NonNullable<FastifyServerOptions['logger']> {
  const readable = settings.NODE_ENV === 'development' && stream === undefined
  return {
    level: settings.LOG_LEVEL,
    redact: { paths: ['authorization', 'cookie', 'token'].flatMap((name) => [name, `*.${name}`, `*.headers.${name}`]), censor: hidden },
    serializers: { req: describeRequest, room: printableOrNone, user: printableOrNone, origin: printableOrNone },
    ...(readable && { transport: { target: 'pino-pretty', options: { translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true } } }),
    ...(stream !== undefined && { stream }),
  }
}

/** Without headers, and with a URL that may be kept. */
function describeRequest ({ method, url, host, ip }: FastifyRequest) {
  return { method, url: printable(redactQuery(url), maxUrlCharacters), host: printable(host), remoteAddress: ip }
}

/** What a client or Django has named: a line stays one line. */
const printableOrNone = (name: string | undefined): string | undefined => name === undefined ? undefined : printable(name)

/** An onResponse hook. A load balancer alone asks thousands of times a day: a request that succeeds is a line for `debug`. */
export async function logResponse (request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { statusCode } = reply
  const level = statusCode >= 500 ? 'error' : statusCode >= 400 ? 'info' : 'debug'
  // An upgraded socket has its own lines, when it opens and closes documents.
  if (request.ws && statusCode < 400) return
  request.log[level]({ req: request, statusCode, ms: Math.round(reply.elapsedTime) }, 'Answered a request')
}

/** The URL with the values of its query hidden, but for harmless parameters. */
export function redactQuery (url: string): string {
  const start = url.indexOf('?')
  if (start === -1) return url
  const parameters = url.slice(start + 1).split('&').map((parameter) => {
    const name = parameter.split('=', 1)[0] ?? ''
    if (harmless.has(name)) return parameter
    return name === 'token' || name === 'sessionKey' ? `${name}=${hidden}` : hidden
  })
  return `${url.slice(0, start)}?${parameters.join('&')}`
}
