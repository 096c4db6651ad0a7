import Type, { type Static } from 'typebox'

/**
 * What a setting may say of itself beside JSON Schema's own words. `.env.example` and docs/settings.md are written from these.
 * `group` begins a new section, `unit` is what a number counts, `zero` what 0 does, `secret` allows `NAME_FILE` and keeps the value out of every message.
 */
export const annotations = ['group', 'unit', 'zero', 'secret'] as const

const KiB = 1024
const MiB = 1024 * KiB

/** A number of something. 0 is only allowed where `zero` says what it does. */
const quantity = (unit: string, byDefault: number, description: string, more: { zero?: string, group?: string, maximum?: number } = {}) =>
  Type.Integer({ default: byDefault, minimum: more.zero === undefined ? 1 : 0, maximum: Number.MAX_SAFE_INTEGER, unit, description, ...more })

const text = (byDefault: string, description: string, more: { format?: string, group?: string, secret?: true } = {}) =>
  Type.String({ default: byDefault, description, ...more })

const list = (byDefault: string[], description: string, more: { format?: string, group?: string } = {}) => {
  const { format, ...rest } = more
  return Type.Array(Type.String(format === undefined ? {} : { format }), { default: byDefault, minItems: 1, description, ...rest })
}

/** Every setting of the service: the one source of its type, of the check at start, of `.env.example` and of docs/settings.md. */
export const settingsSchema = Type.Object({
  HOST: text('127.0.0.1', 'Address to listen on; 0.0.0.0 or :: in a container.', { group: 'Where it listens' }),
  PORT: Type.Integer({ default: 4444, minimum: 0, maximum: 65535, zero: 'any free port', description: 'Port to listen on.' }),
  TRUST_PROXY: text('false', 'Whose X-Forwarded-* headers are believed: false, true (everybody: only where nobody but the proxy can reach this port), or addresses and networks, comma separated (127.0.0.1, 10.0.0.0/8, loopback).', { format: 'trust-proxy' }),
  NODE_ENV: text('', 'development makes the log readable. Unsafe secrets and origins are accepted in development and test, cause warnings where it is not set, and stop the start with any other value (production, staging).'),

  COLLABORATION_SERVER_SECRET: Type.String({ minLength: 1, format: 'header-value', secret: true, group: 'Who may come in', description: 'The secret shared with Django; at least 16 characters in production, my-secret is for development. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"' }),
  COLLABORATION_SERVER_SECRET_PREVIOUS: text('', 'The secret before the last change, still accepted, so that it can be rotated without downtime.', { format: 'header-value', secret: true }),
  Y_PROVIDER_API_KEY: text('', 'A second accepted key, for the HTTP routes only.', { format: 'header-value', secret: true }),
  COLLABORATION_SERVER_ORIGIN: list(['http://localhost:3000'], 'Origins whose pages may call this service, comma separated; https://*.example.org admits subdomains of one label; * (any) is refused in production.', { format: 'origin' }),
  ROOM_NAME_PATTERN: text('(?!\\.{1,2}$)(?!\\p{Zs})(?:[^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D]){1,255}(?<!\\p{Zs})', 'Regular expression (JavaScript, u flag) that a room\'s whole name must match. Default: 1 to 255 printable characters of any script, no blank at either end, not . or ..', { format: 'pattern' }),

  COLLABORATION_BACKEND_BASE_URL: text('', 'Django\'s base URL. Set: a browser that comes with nothing but its cookie is let in if Django says so. Empty: cookies open nothing.', { format: 'http-url', group: 'Asking Django' }),
  COLLABORATION_BACKEND_DOCUMENT_PATH: text('/api/v1.0/documents/{room}/', 'Where Django answers what this user may do with the document; {room} is replaced.', { format: 'room-path' }),
  COLLABORATION_BACKEND_USER_PATH: text('/api/v1.0/users/me/', 'Where Django answers who this user is.', { format: 'path' }),
  COLLABORATION_BACKEND_TIMEOUT: quantity('ms', 5000, 'How long one call to Django may take.'),
  COLLABORATION_SESSION_COOKIES: list(['docs_sessionid', 'sessionid'], 'Names of session cookies, comma separated; the first one present is the session key.', { format: 'cookie-name' }),
  BACKEND_ASK_ANONYMOUS: Type.Boolean({ default: false, description: 'Ask Django about visitors without any cookie too: where documents may be public (La Suite Docs). Otherwise they are refused without a question.' }),
  BACKEND_MAX_CALLS: quantity('calls', 20, 'Calls to Django at the same time; further ones wait, so that a reconnect storm does not become Django\'s.'),
  BACKEND_CACHE_MS: quantity('ms', 0, 'How long an answer of Django is kept. A reset of the room drops it.', { zero: 'ask each time (identical questions in flight are still asked once)' }),
  RECHECK_INTERVAL_MS: quantity('ms', 5 * 60_000, 'How often the right of an open connection is asked again.', { zero: 'never' }),

  DATA_DIR: text('./data', 'Folder of the embedded store (LMDB).', { group: 'What is kept, and where' }),
  DATABASE_URL: text('', 'postgres://…: PostgreSQL is the store instead.', { format: 'postgres-url', secret: true }),
  REDIS_URL: text('', 'redis://host, redis+sentinel://host,host/master-name or redis+cluster://host,host (rediss… with TLS): several nodes form one service; they need DATABASE_URL too (docs/operations.md).', { format: 'redis-url', secret: true }),
  REDIS_PREFIX: text('yp', 'Begins the names of the channels in Redis: services that share a Redis must differ in it, nodes of one service must not.', { format: 'redis-prefix' }),
  STORE_SYNC: Type.Enum(['process', 'fsync'], { default: 'process', description: 'What an acknowledged update in the embedded store survives: process = a crash of this service; fsync = a power cut too. PostgreSQL goes by its own synchronous_commit.' }),

  MAX_FRAME_BYTES: quantity('bytes', 32 * MiB, 'Largest WebSocket message from a client; above it the connection is closed with 1009. A client that is in no document yet can send 512 KiB; above 1 MiB a message of a client that can only read is discarded.', { group: 'Limits' }),
  MAX_UNFINISHED_BYTES: quantity('bytes', 64 * MiB, 'Memory for messages of all clients that have not arrived whole or wait for a verdict; taken for twice MAX_FRAME_BYTES where it is less. What V8 has yet to collect comes on top, up to twice as much. Above it connections are closed with 4503: stalled ones first, then those of the user who holds most.'),
  MAX_DOCUMENT_BYTES: quantity('bytes', 256 * MiB, 'Largest stored document; above it writing ends with 4413, taking text out too; reading still works.', { zero: 'no limit' }),
  MAX_DOCUMENT_CLIENTS: quantity('clients', 65_536, 'Clients whose edits are in one document: each opening of an editor that writes something is one. Above it writing ends with 4413.', { zero: 'no limit' }),
  MAX_DOCUMENT_DELETE_RANGES: quantity('ranges', 250_000, 'Ranges of deleted text in one document; a paper of 260,000 edits has 2,639. Above it writing ends with 4413.', { zero: 'no limit' }),
  MAX_CONNECTIONS: quantity('connections', 20_000, 'Open connections of this process; each takes about 10 KiB.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_USER: quantity('connections', 500, 'Open connections of one user; people without a user id are not counted.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_ADDRESS: quantity('connections', 0, 'Open connections from one address. Set TRUST_PROXY first, or all people behind the proxy count as one.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_ROOM: quantity('connections', 5000, 'Open connections in one room of this process.', { zero: 'no limit' }),
  MAX_MESSAGES_PER_SECOND: quantity('messages/s', 5000, 'Messages from one connection, averaged over RATE_BURST_SECONDS; far above what people type, below what stops a server.', { zero: 'no limit' }),
  MAX_BYTES_PER_SECOND: quantity('bytes/s', 16 * MiB, 'Bytes from one connection, averaged over RATE_BURST_SECONDS.', { zero: 'no limit' }),
  RATE_BURST_SECONDS: quantity('s', 60, 'How many seconds\' worth a connection may send at once, so that long offline work and imports get through.'),
  MAX_AWARENESS_BYTES: quantity('bytes', 64 * KiB, 'Awareness states of one connection to a document, all together (a cursor takes about 200); every change goes to everybody in the room. What goes beyond is dropped.'),
  MAX_SOCKET_BUFFER_BYTES: quantity('bytes', MiB, 'What may wait in memory for one connection that reads slowly; above it the connection gets nothing more until it has read that, and then what it has missed as one.'),
  MAX_UNSAVED_BYTES: quantity('bytes', 256 * MiB, 'Updates held in memory while the store is away; above it writers are closed with 4503, readers stay.'),
  MAX_TICK_SPACING_MS: quantity('ms', 50, 'How long a busy room may gather what arrives before it sends it on as one, 50 at most; a room that has been quiet sends at once. Longer costs less processor time where a hundred people type in one room, shorter (10) is quicker there.', { zero: 'each update is sent on at once', maximum: 50 }),
  AUTH_TIMEOUT_MS: quantity('ms', 10_000, 'How long a connection without credentials may take to send its ticket.'),
  IDLE_TIMEOUT_MS: quantity('ms', 60_000, 'How long a connection may be silent, answers to our pings included, before it is closed with 4508.'),
  SHUTDOWN_TIMEOUT_MS: quantity('ms', 10_000, 'How long a stop may take before the process ends anyway.'),

  CONVERSION_FILE_MAX_SIZE: quantity('bytes', 20 * MiB, 'Largest body of /api/convert/; above it 413.', { group: 'Conversion and other heavy work' }),
  CONVERSION_THREADS: quantity('threads', 0, 'Worker threads that convert.', { zero: 'half of the processor\'s cores, at least one' }),
  CONVERSION_TIMEOUT_MS: quantity('ms', 30_000, 'How long one conversion may take; after it the worker is replaced and the answer is 503.'),
  CONVERSION_MAX_QUEUE: quantity('conversions', 256, 'Conversions that may wait for a worker; above it the answer is 503 with Retry-After.'),
  CONVERSION_BLOCKS_MODULE: text('', 'Path of a module that adds the project\'s own blocks (docs/conversion.md).'),
  CONVERSION_SOFT_BREAKS: Type.Enum(['break', 'space'], { default: 'break', description: 'What a single line break inside a markdown paragraph becomes.' }),
  DOCUMENT_THREADS: quantity('threads', 0, 'Worker threads for what people wait for: checking large pastes, opening documents. They start when they are needed. What is above 4 MiB has as many of its own, two at most, and compaction has one, so that nobody waits for it.', { zero: 'half of the processor\'s cores, at least one' }),

  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', group: 'Log', description: 'The least important level that is logged.' }),
  COLLABORATION_LOGGING: Type.Boolean({ default: false, description: 'The older name for LOG_LEVEL=debug; LOG_LEVEL wins.' })
})

/** The settings as the service sees them: checked, complete, lists split. */
export type Settings = Static<typeof settingsSchema>
