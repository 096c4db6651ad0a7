import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import type { Settings } from './settings/schema.ts'

/** What a test may hand in instead of standard output. */
export interface LogStream { write (line: string): void }

/** Query parameters whose values may be read in a log. Every other one may be a ticket, a session key or a secret. */
const harmless = new Set(['room', 'strict', 'fragment'])

const hidden = '[redacted]'

/** pino's options. Requests are logged without headers; the redaction is for whoever logs some. */
export function loggerOptions (settings: Settings, stream?: LogStream): NonNullable<FastifyServerOptions['logger']> {
  const readable = settings.NODE_ENV === 'development' && stream === undefined
  return {
    level: settings.LOG_LEVEL,
    redact: { paths: ['authorization', 'cookie', 'token'].flatMap((name) => [name, `*.${name}`, `*.headers.${name}`]), censor: hidden },
    serializers: { req: describeRequest },
    ...(readable && { transport: { target: 'pino-pretty', options: { translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true } } }),
    ...(stream !== undefined && { stream }),
  }
}

/** Without headers, and with a URL that may be kept. */
function describeRequest ({ method, url, host, ip }: FastifyRequest) {
  return { method, url: redactQuery(url), host, remoteAddress: ip }
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
