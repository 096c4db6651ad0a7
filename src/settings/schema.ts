import Type, { type Static } from 'typebox'

/**
 * The annotations of a setting beyond JSON Schema, from which `.env.example` and docs/settings.md are generated:
 * `group` begins a section, `unit` is the unit of a number, `zero` describes the effect of 0, `secret` allows
 * `NAME_FILE` and keeps the value out of every message.
 */
export const annotations = ['group', 'unit', 'zero', 'secret'] as const

const KiB = 1024
const MiB = 1024 * KiB

interface Annotations { readonly group?: string }
interface QuantityAnnotations extends Annotations { readonly zero?: string, readonly maximum?: number }
interface TextAnnotations extends Annotations { readonly format?: string, readonly secret?: true }
interface ListAnnotations extends Annotations { readonly format?: string }

/** An amount with a unit. It can be 0 only if `zero` describes the effect. */
function quantity (unit: string, byDefault: number, description: string, more: QuantityAnnotations = {}) {
  const minimum = more.zero === undefined ? 1 : 0
  return Type.Integer({ default: byDefault, minimum, maximum: Number.MAX_SAFE_INTEGER, unit, description, ...more })
}

function text (byDefault: string, description: string, more: TextAnnotations = {}) {
  return Type.String({ default: byDefault, description, ...more })
}

function list (byDefault: string[], description: string, { format, ...more }: ListAnnotations = {}) {
  const items = Type.String(format === undefined ? {} : { format })
  return Type.Array(items, { default: byDefault, minItems: 1, description, ...more })
}

/** Every setting: the only source of its type, of the check at the start, of `.env.example` and of docs/settings.md. */
export const settingsSchema = Type.Object({
  HOST: text('127.0.0.1', 'Address to listen on; 0.0.0.0 or :: in a container.', { group: 'Network' }),
  PORT: Type.Integer({ default: 4444, minimum: 0, maximum: 65535, zero: 'any free port', description: 'Port to listen on.' }),
  TRUST_PROXY: text('false', 'Proxies whose X-Forwarded-* headers are trusted: false (none), true (any sender; safe only if nothing but the proxy can reach this port), or addresses and networks, comma separated (127.0.0.1, 10.0.0.0/8, loopback).', { format: 'trust-proxy' }),
  NODE_ENV: text('', 'development makes the log readable. Unsafe secrets and origins are accepted in development and test, cause warnings if NODE_ENV is not set, and stop the start with any other value (production, staging).'),

  COLLABORATION_SERVER_SECRET: Type.String({ minLength: 1, format: 'header-value', secret: true, group: 'Access', description: 'The secret shared with Django. It needs at least 16 characters in production; my-secret is for development. Generate one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"' }),
  COLLABORATION_SERVER_SECRET_PREVIOUS: text('', 'The previous secret, still accepted, so that the secret can be rotated without downtime.', { format: 'header-value', secret: true }),
  Y_PROVIDER_API_KEY: text('', 'A second accepted key for the HTTP routes only, raw or as Bearer. It must differ from the secrets. It also goes to Django with each call as X-Y-Provider-Key, which exempts the call from the throttle of La Suite Docs.', { format: 'header-value', secret: true }),
  COLLABORATION_SERVER_ORIGIN: list(['http://localhost:3000'], 'Origins whose pages can call this service, comma separated. https://*.example.org admits subdomains of one label; * (any) is refused in production.', { format: 'origin' }),
  ROOM_NAME_PATTERN: text('(?!\\.{1,2}$)(?!\\p{Zs})(?:[^\\p{C}\\p{Zl}\\p{Zp}]|[\\u200C\\u200D]){1,255}(?<!\\p{Zs})', 'Regular expression (JavaScript, u flag) that a room\'s whole name must match. Default: 1 to 255 printable characters of any script, no space at either end, not . or ..', { format: 'pattern' }),

  COLLABORATION_BACKEND_BASE_URL: text('', 'Django\'s base URL. If it is set, y-provider asks Django whether to admit a browser that sends only its cookie. If it is empty, cookies give no access.', { format: 'http-url', group: 'Asking Django' }),
  COLLABORATION_BACKEND_DOCUMENT_PATH: text('/api/v1.0/documents/{room}/', 'Path at which Django returns what this user can do with the document; {room} is replaced by the room\'s name.', { format: 'room-path' }),
  COLLABORATION_BACKEND_USER_PATH: text('/api/v1.0/users/me/', 'Path at which Django returns the user\'s id.', { format: 'path' }),
  COLLABORATION_BACKEND_TIMEOUT: quantity('ms', 5000, 'Time limit for one call to Django.'),
  COLLABORATION_SESSION_COOKIES: list(['docs_sessionid', 'sessionid'], 'Names of session cookies, comma separated; the first one present is the session key.', { format: 'cookie-name' }),
  BACKEND_ASK_ANONYMOUS: Type.Boolean({ default: false, description: 'Ask Django about visitors without a cookie too. Set this if documents can be public (La Suite Docs); otherwise these visitors are refused without a call to Django.' }),
  BACKEND_MAX_CALLS: quantity('calls', 20, 'Largest number of concurrent calls to Django. Further calls wait, so that many reconnections at once do not overload Django.'),
  BACKEND_CACHE_MS: quantity('ms', 0, 'How long access granted by Django is cached. A reset of the room drops it.', { zero: 'ask each time (identical questions in flight are still asked once)' }),
  RECHECK_INTERVAL_MS: quantity('ms', 5 * 60_000, 'How often y-provider asks Django again about the access of an open connection.', { zero: 'never' }),

  DATA_DIR: text('./data', 'Folder of the embedded store (LMDB).', { group: 'Storage' }),
  DATABASE_URL: text('', 'postgres://…: use PostgreSQL as the store instead of DATA_DIR.', { format: 'postgres-url', secret: true }),
  REDIS_URL: text('', 'redis://host, redis+sentinel://host,host/master-name or redis+cluster://host,host (rediss… with TLS). It connects several nodes into one service and needs DATABASE_URL too (docs/operations.md).', { format: 'redis-url', secret: true }),
  REDIS_PREFIX: text('yp', 'Prefix of the channel names in Redis. Services that share a Redis need different prefixes; all nodes of one service need the same.', { format: 'redis-prefix' }),
  STORE_SYNC: Type.Enum(['process', 'fsync'], { default: 'process', description: 'What an acknowledged update in the embedded store survives: process = a crash of this service; fsync = a power cut too. With PostgreSQL, its own synchronous_commit applies.' }),
  DELETED_FOR: quantity('days', 30, 'How long a deleted document leaves a tombstone, which knows who wrote it and nothing of what. Until then the name admits nobody unless the document is created again over HTTP, and a page that still has the deleted text cannot bring it back. Longer than any page stays open or offline.', { zero: 'no tombstone: a page that still has the text brings it back by reconnecting', maximum: 36_500 }),

  MAX_FRAME_BYTES: quantity('bytes', 32 * MiB, 'Largest WebSocket message from a client; above it the connection is closed with 1009. Before a client is in a document its limit is 512 KiB. A message above 1 MiB from a read-only client is discarded.', { group: 'Limits' }),
  MAX_UNFINISHED_BYTES: quantity('bytes', 64 * MiB, 'Memory for messages of all clients that are incomplete or wait to be checked; at least twice MAX_FRAME_BYTES is used. Memory that V8 has not collected yet is extra, up to twice as much. Above the limit connections are closed with 4503: stalled ones first, then those of the user who holds most.'),
  MAX_DOCUMENT_BYTES: quantity('bytes', 256 * MiB, 'Largest stored document. Above it, clients that write, even to delete text, are closed with 4413; reading still works.', { zero: 'no limit' }),
  MAX_DOCUMENT_CLIENTS: quantity('clients', 65_536, 'Clients whose edits are in one document; an editor counts as one each time that it is opened and used to write. Above it, clients that write are closed with 4413.', { zero: 'no limit' }),
  MAX_DOCUMENT_DELETE_RANGES: quantity('ranges', 250_000, 'Ranges of deleted text in one document; a paper of 260,000 edits has 2,639. Above it, clients that write are closed with 4413.', { zero: 'no limit' }),
  MAX_CONNECTIONS: quantity('connections', 20_000, 'Open connections of this process; each takes about 10 KiB.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_USER: quantity('connections', 500, 'Open connections of one user; users without an id are not counted.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_ADDRESS: quantity('connections', 0, 'Open connections from one address. Set TRUST_PROXY first, or all users behind the proxy count as one address.', { zero: 'no limit' }),
  MAX_REFUSED_PER_ADDRESS: quantity('connections', 100, 'Hocuspocus connections from one address that can stay open after access to all their documents was denied; an open connection keeps its client from reconnecting every second. Set TRUST_PROXY first, as above.', { zero: 'no limit' }),
  MAX_CONNECTIONS_PER_ROOM: quantity('connections', 5000, 'Open connections in one room of this process.', { zero: 'no limit' }),
  MAX_MESSAGES_PER_SECOND: quantity('messages/s', 5000, 'Messages from one connection, averaged over RATE_BURST_SECONDS; far above what people type, and below what overloads a server.', { zero: 'no limit' }),
  MAX_BYTES_PER_SECOND: quantity('bytes/s', 16 * MiB, 'Bytes from one connection, averaged over RATE_BURST_SECONDS.', { zero: 'no limit' }),
  RATE_BURST_SECONDS: quantity('s', 60, 'Seconds of the allowed rate that a connection can send at once, so that long offline work and imports succeed.'),
  MAX_AWARENESS_BYTES: quantity('bytes', 64 * KiB, 'Awareness states of one connection to a document, all together; a cursor takes about 200 bytes. Every change is sent to all connections in the room. States beyond the limit are dropped.'),
  MAX_SOCKET_BUFFER_BYTES: quantity('bytes', MiB, 'Data that can wait in memory for one connection that reads slowly. Above it, the service sends nothing more until the client has read that data, and then sends everything that the client missed at once.'),
  MAX_UNSAVED_BYTES: quantity('bytes', 256 * MiB, 'Updates held in memory while the store is unavailable; above it, clients that write are closed with 4503, readers stay connected.'),
  MAX_TICK_SPACING_MS: quantity('ms', 50, 'How long a busy room can gather updates before it broadcasts them together, 50 at most; an idle room broadcasts at once. Where a hundred users type in one room, a longer time saves processor time and a shorter one (10) lowers the delay.', { zero: 'each update is broadcast at once', maximum: 50 }),
  AUTH_TIMEOUT_MS: quantity('ms', 10_000, 'Time within which a connection without credentials must send its ticket.'),
  IDLE_TIMEOUT_MS: quantity('ms', 60_000, 'How long a connection can send nothing, not even an answer to a ping, before it is closed with 4508.'),
  SHUTDOWN_TIMEOUT_MS: quantity('ms', 10_000, 'Time limit for a graceful shutdown; after it the process exits anyway.'),

  CONVERSION_FILE_MAX_SIZE: quantity('bytes', 20 * MiB, 'Largest request body of /api/convert/; above it the answer is 413.', { group: 'Conversion and other heavy work' }),
  CONVERSION_THREADS: quantity('threads', 0, 'Worker threads that convert.', { zero: 'half of the processor\'s cores, at least one' }),
  CONVERSION_TIMEOUT_MS: quantity('ms', 30_000, 'Time limit for one conversion; after it the worker is replaced and the answer is 503.'),
  CONVERSION_MAX_QUEUE: quantity('conversions', 256, 'Largest number of conversions that can wait for a worker; above it the answer is 503 with Retry-After.'),
  CONVERSION_BLOCKS_MODULE: text('', 'Path of a module that adds the project\'s own blocks (docs/conversion.md).'),
  CONVERSION_SOFT_BREAKS: Type.Enum(['break', 'space'], { default: 'break', description: 'What a single line break inside a markdown paragraph becomes.' }),
  CONVERSION_MATH: Type.Boolean({ default: false, description: 'Import math ($x$, $$…$$, MathML) and Mermaid diagrams as nodes of their own. Needs La Suite Docs 5.6: older editors, and stock BlockNote, delete these nodes. Otherwise they are text and code blocks.' }),
  DOCUMENT_THREADS: quantity('threads', 0, 'Worker threads for tasks that users wait for: checking large pastes and opening documents. Threads start when they are needed. Tasks above 4 MiB have the same number of extra threads, two at most. Compaction has its own thread, so that nobody waits for it.', { zero: 'half of the processor\'s cores, at least one' }),

  REQUIRE_IF_MATCH: Type.Boolean({ default: false, group: 'Documents over HTTP', description: 'Refuse a PUT, PATCH or DELETE of a document without If-Match (428), so that no script overwrites what it has not read.' }),

  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', group: 'Log', description: 'The lowest level that is logged.' }),
  COLLABORATION_LOGGING: Type.Boolean({ default: false, description: 'The older name for LOG_LEVEL=debug; LOG_LEVEL wins.' })
})

/** The settings as the service uses them: checked and complete, with lists split. */
export type Settings = Static<typeof settingsSchema>
