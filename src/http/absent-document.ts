import type { Documents } from '../documents/documents.ts'
import { DocumentDeleted, DocumentNotFound } from '../errors.ts'

/** The HTTP error for a document that does not exist. @throws DocumentFailure */
export async function absentDocument (documents: Documents, room: string): Promise<Error> {
  return await documents.wasDeleted(room) ? new DocumentDeleted() : new DocumentNotFound()
}
