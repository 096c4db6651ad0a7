import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { Documents } from '../documents/documents.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly documents: Documents }
}

/** Adds `app.documents`: the stored documents, for Django. */
export default fp(async function documents (app: FastifyInstance) {
  app.decorate('documents', new Documents(app.store, app.documentWork))
}, { name: 'documents', dependencies: ['store', 'document-work'], fastify: '5.x' })
