import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import createError from '@fastify/error'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Every failure that a route or hook may throw: code for the log, the sentence for the client, HTTP status. */
export const InvalidApiKey = createError('YP_INVALID_API_KEY', 'Forbidden: Invalid API Key', 403)
export const InvalidOrigin = createError('YP_INVALID_ORIGIN', 'CORS policy violation: Invalid Origin', 403)
export const NotFound = createError('YP_NOT_FOUND', 'Not found', 404)
export const RoomNotFound = createError('YP_ROOM_NOT_FOUND', 'Room not found', 404)
export const RoomNameMissing = createError('YP_ROOM_NAME_MISSING', 'Room name not provided', 400)
export const RoomNameInvalid = createError('YP_ROOM_NAME_INVALID', 'Invalid room name', 400)
export const SessionKeyMissing = createError('YP_SESSION_KEY_MISSING', 'Session key not provided', 400)
export const ParameterRepeated = createError<[name: string]>('YP_PARAMETER_REPEATED', 'Parameter given more than once: %s', 400)
export const ContentMissing = createError('YP_CONTENT_MISSING', 'Invalid request: missing content', 400)
export const ContentInvalid = createError('YP_CONTENT_INVALID', 'Invalid content', 400)
export const FormatUnsupported = createError('YP_FORMAT_UNSUPPORTED', 'Unsupported format', 406)
export const ContentTooLarge = createError('YP_CONTENT_TOO_LARGE', 'Content too large', 413)
export const ContentTypeUnsupported = createError('YP_CONTENT_TYPE_UNSUPPORTED', 'Unsupported Content-Type', 415)
export const EncodingUnsupported = createError('YP_ENCODING_UNSUPPORTED', 'Unsupported Content-Encoding', 415)
export const EncodingStacked = createError('YP_ENCODING_STACKED', 'More than one Content-Encoding', 400)
export const EncodingInvalid = createError('YP_ENCODING_INVALID', 'The body is not what Content-Encoding says', 400)
export const Stopping = createError('YP_STOPPING', 'The service is stopping: try again', 503)
export const Busy = createError('YP_BUSY', 'The service is busy: try again', 503)
export const ConversionTooSlow = createError('YP_CONVERSION_TOO_SLOW', 'The conversion took too long: try again', 503)
export const StoreUnavailable = createError('YP_STORE_UNAVAILABLE', 'The store is not available: try again', 503)
export const NodesSilent = createError<[names: string]>('YP_NODES_SILENT', 'Not every node of the service has answered: try again (%s)', 503)
export const NotReady = createError<[parts: string]>('YP_NOT_READY', 'Not ready: %s', 503)

/** The sentences for what Fastify itself refuses. Its own would repeat paths, or name its configuration. */
const sentences: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'Malformed URL',
  FST_ERR_MAX_PARAM_LENGTH: 'URL too long',
  FST_ERR_CTP_BODY_TOO_LARGE: 'Content too large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Unsupported Content-Type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'Content-Length does not match the body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'Invalid request: missing content',
  FST_ERR_CTP_INVALID_JSON_BODY: 'Invalid JSON',
}

/** Sent with 503 where nobody knows better: long enough for a worker or a restarted store, short enough for a person who waits. */
const retryAfterSeconds = 2

/** Answers every error as `{"error": "<sentence>"}`. What is not our failure or the client's is logged with its cause and answered without details. */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 600 ? error.statusCode : 500
  // Ours are no fault of the program: the code says all, without a stack.
  if (status >= 500) request.log.error(isOurs(error) ? { code: error.code } : { err: error }, error.message)
  if (status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfterSeconds)
  reply.code(status).send({ error: sentence(error, status) })
}

const isOurs = (error: FastifyError): boolean => error.code?.startsWith('YP_') === true

function sentence (error: FastifyError, status: number): string {
  if (isOurs(error)) return error.message
  if (error.validation !== undefined) return 'Invalid request: ' + error.message
  return sentences[error.code] ?? (status < 500 ? 'Invalid request' : 'Internal server error')
}

/** Node's codes for bytes that are no HTTP request, or one that takes too long. Everything else is 400. */
const clientErrors: Readonly<Record<string, { status: number, error: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, error: 'Request headers too large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, error: 'Content too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, error: 'Request took too long' },
}

/** Answers on the bare socket, since there is no request to reply to, and hangs up. @see https://nodejs.org/api/http.html#event-clienterror */
export function answerClientError (error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, error: text } = clientErrors[error.code ?? ''] ?? { status: 400, error: 'Malformed HTTP request' }
  const body = JSON.stringify({ error: text })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
}
