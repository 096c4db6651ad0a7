import type { FastifyReply } from 'fastify'
import { DocumentConflict, LossyContent } from '../documents/document-failure.ts'
import type { Written } from '../documents/document-writer.ts'
import { sequenceTagOf } from './entity-tag.ts'
import { reportDropped } from './report-dropped.ts'
import { writeError } from './document-error.ts'

/** The path of a document. */
export const documentPath = (room: string): string => `/collaboration/api/documents/${encodeURIComponent(room)}/`

/** Answers that a document was created. */
export function answerCreated (reply: FastifyReply, room: string, written: Written): FastifyReply {
  describe(reply, written)
  return reply.code(201).header('location', documentPath(room)).send()
}

/** Answers that a document was changed, or was as it should be already. */
export function answerChanged (reply: FastifyReply, written: Written): FastifyReply {
  describe(reply, written)
  return reply.code(204).send()
}

function describe (reply: FastifyReply, { sequence, dropped }: Written): void {
  reportDropped(reply, dropped)
  reply.header('etag', sequenceTagOf(sequence))
}

/**
 * Answers a write that failed.
 * @throws the HTTP error, for all but a loss of content, whose answer lists what would be lost
 */
export function answerFailedWrite (reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof LossyContent) {
    reportDropped(reply, error.dropped)
    return reply.code(422).send({ error: 'The document cannot hold all of the content', dropped: error.dropped })
  }
  const sequence = error instanceof DocumentConflict ? error.sequence : undefined
  if (sequence !== undefined) reply.header('etag', sequenceTagOf(sequence))
  throw writeError(error)
}
