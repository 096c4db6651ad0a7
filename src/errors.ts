import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import createError from '@fastify/error'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

// Every error that a route or hook can throw: the code for the log, the sentence for the client, the HTTP status.

/** The `Authorization` header carries no accepted secret or key. */
export const InvalidApiKey = createError('YP_INVALID_API_KEY', 'Forbidden: Invalid API Key', 403)
/** The `Origin` header is not allowed. */
export const InvalidOrigin = createError('YP_INVALID_ORIGIN', 'CORS policy violation: Invalid Origin', 403)
/** There is no such route. */
export const NotFound = createError('YP_NOT_FOUND', 'Not found', 404)
/** The room is not open. */
export const RoomNotFound = createError('YP_ROOM_NOT_FOUND', 'Room not found', 404)
/** No document has this name. */
export const DocumentNotFound = createError('YP_DOCUMENT_NOT_FOUND', 'Document not found', 404)
/** The document of this name was deleted. */
export const DocumentDeleted = createError('YP_DOCUMENT_DELETED', 'The document was deleted', 410)
/** The update belongs to a document of this name that was deleted; a new one has the name. */
export const UpdateStale = createError('YP_UPDATE_STALE', 'The update belongs to a document that was deleted', 410)
/** A document of this name exists already. */
export const DocumentExists = createError('YP_DOCUMENT_EXISTS', 'The document exists already', 409)
/** The document is not in the state that the request names. */
export const DocumentChanged = createError('YP_DOCUMENT_CHANGED', 'The document is not as If-Match or If-None-Match says', 412)
/** REQUIRE_IF_MATCH is set, and the request does not say which state of the document it is for. */
export const IfMatchMissing = createError('YP_IF_MATCH_MISSING', 'If-Match is missing: send the ETag of the document as it was read', 428)
/** A precondition is not a list of entity tags. */
export const PreconditionInvalid = createError<[header: string]>('YP_PRECONDITION_INVALID', 'Invalid %s', 400)
/** The request names several places, or one for content that has none. */
export const PositionInvalid = createError('YP_POSITION_INVALID', 'Invalid position: one of position, before, after and replace, and none for a Yjs update', 400)
/** The document has no block at which content could be inserted. */
export const BlockNotFound = createError('YP_BLOCK_NOT_FOUND', 'The document has no block with this id', 422)
/** The update would lift the document above one of its limits. */
export const DocumentFull = createError('YP_DOCUMENT_FULL', 'The document would become too large', 413)
/** The document cannot be converted to the requested format. */
export const DocumentNotConvertible = createError('YP_DOCUMENT_NOT_CONVERTIBLE', 'The document cannot be converted to this format: read it as application/vnd.yjs.doc', 422)
/** The document is too large for the requested format. */
export const DocumentTooLarge = createError('YP_DOCUMENT_TOO_LARGE', 'The document is too large for this format: read it as application/vnd.yjs.doc', 422)
/** The stored bytes of the document are damaged. */
export const DocumentDamaged = createError('YP_DOCUMENT_DAMAGED', 'The stored document is damaged: an operator must restore it', 500)
/** `If-Match` names the state of one document, and the request several documents. */
export const ConditionAmbiguous = createError('YP_CONDITION_AMBIGUOUS', 'If-Match needs a request for a single document', 400)
/** The request names too many rooms. */
export const TooManyRooms = createError<[most: number]>('YP_TOO_MANY_ROOMS', 'Too many rooms: %s at most', 400)
/** The store cannot be reached. */
export const StoreUnavailable = createError('YP_STORE_UNAVAILABLE', 'The store is unavailable: try again', 503)
/** The name of a room does not match ROOM_NAME_PATTERN. */
export const RoomNameInvalid = createError('YP_ROOM_NAME_INVALID', 'Invalid room name', 400)
/** The request names no room. */
export const RoomNameMissing = createError('YP_ROOM_NAME_MISSING', 'Room name not provided', 400)
/** The request names no session key. */
export const SessionKeyMissing = createError('YP_SESSION_KEY_MISSING', 'Session key not provided', 400)
/** A query parameter is given more than once. */
export const ParameterRepeated = createError<[name: string]>('YP_PARAMETER_REPEATED', 'Parameter given more than once: %s', 400)
/** A query parameter has a value that nothing can have. */
export const ParameterInvalid = createError<[name: string]>('YP_PARAMETER_INVALID', 'Invalid parameter: %s', 400)
/** Query parameters exclude each other. */
export const ParametersExclusive = createError<[one: string, others: string]>('YP_PARAMETERS_EXCLUSIVE', 'Parameter %s cannot be combined with %s', 400)
/** The request names an empty user id. */
export const UserIdMissing = createError('YP_USER_ID_MISSING', 'User id not provided', 400)
/** The request has no content to convert. */
export const ContentMissing = createError('YP_CONTENT_MISSING', 'Invalid request: missing content', 400)
/** The content does not fit its format. */
export const ContentInvalid = createError('YP_CONTENT_INVALID', 'Invalid content', 400)
/** No accepted output format is supported. */
export const FormatUnsupported = createError('YP_FORMAT_UNSUPPORTED', 'Unsupported format', 406)
/** The content is too large. */
export const ContentTooLarge = createError('YP_CONTENT_TOO_LARGE', 'Content too large', 413)
/** The `Content-Type` is not supported. */
export const ContentTypeUnsupported = createError('YP_CONTENT_TYPE_UNSUPPORTED', 'Unsupported Content-Type', 415)
/** The `Content-Encoding` is not supported. */
export const EncodingUnsupported = createError('YP_ENCODING_UNSUPPORTED', 'Unsupported Content-Encoding', 415)
/** The body has more than one `Content-Encoding`. */
export const EncodingStacked = createError('YP_ENCODING_STACKED', 'More than one Content-Encoding', 400)
/** The body cannot be decoded as `Content-Encoding` says. */
export const EncodingInvalid = createError('YP_ENCODING_INVALID', 'The body is not what Content-Encoding says', 400)
/** The service is stopping. */
export const Stopping = createError('YP_STOPPING', 'The service is stopping: try again', 503)
/** Too many requests wait already. */
export const Busy = createError('YP_BUSY', 'The service is busy: try again', 503)
/** The conversion exceeded its time limit. */
export const ConversionTooSlow = createError('YP_CONVERSION_TOO_SLOW', 'The conversion took too long: try again', 503)
/** The client has disconnected, so nobody reads the answer. 499 is nginx's status for it. */
export const ClientDisconnected = createError('YP_CLIENT_DISCONNECTED', 'The client has disconnected', 499)
/** Some nodes have not answered; the message names them. */
export const NodesSilent = createError<[names: string]>('YP_NODES_SILENT', 'Not every node of the service has answered: try again (%s)', 503)
/** Some parts of the service cannot work; the message names them. */
export const NotReady = createError<[parts: string]>('YP_NOT_READY', 'Not ready: %s', 503)

/** Sentences for Fastify's own errors: Fastify's messages repeat paths, or name its configuration. */
const sentences: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'Malformed URL',
  FST_ERR_MAX_PARAM_LENGTH: 'URL too long',
  FST_ERR_CTP_BODY_TOO_LARGE: 'Content too large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Unsupported Content-Type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'Content-Length does not match the body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'Invalid request: missing content',
  FST_ERR_CTP_INVALID_JSON_BODY: 'Invalid JSON',
}

/**
 * Sent with a 503 that has no better value: enough for a worker or a store to restart, short enough for a waiting user.
 */
const retryAfterSeconds = 2

/**
 * Answers every error as `{"error": "<sentence>"}`. An unexpected error is logged with its cause and answered without
 * details.
 */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode = 500 } = error
  const status = statusCode >= 400 && statusCode < 600 ? statusCode : 500
  // The errors above are no bugs: their code says enough, without a stack.
  if (status >= 500) request.log.error(isOurs(error) ? { code: error.code } : { err: error }, error.message)
  else if (isOurs(error) && error.cause instanceof Error) {
    // Causes of other errors can quote the request.
    request.log.debug({ code: error.code, reason: error.cause.message }, error.message)
  }
  if (status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfterSeconds)
  reply.code(status).send({ error: sentence(error, status) })
}

const isOurs = (error: FastifyError): boolean => error.code?.startsWith('YP_') === true

function sentence (error: FastifyError, status: number): string {
  if (isOurs(error)) return error.message
  if (error.validation !== undefined) return 'Invalid request: ' + error.message
  return sentences[error.code] ?? (status < 500 ? 'Invalid request' : 'Internal server error')
}

/** The answers to malformed or slow HTTP requests, by Node's codes. Every other code is 400. */
const clientErrors: Readonly<Record<string, { status: number, error: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, error: 'Request headers too large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, error: 'Content too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, error: 'Request took too long' },
}

/**
 * Answers a malformed request on the bare socket, since there is no request to reply to, and closes the socket.
 * @see https://nodejs.org/api/http.html#event-clienterror
 */
export function answerClientError (error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, error: text } = clientErrors[error.code ?? ''] ?? { status: 400, error: 'Malformed HTTP request' }
  const body = JSON.stringify({ error: text })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
}
