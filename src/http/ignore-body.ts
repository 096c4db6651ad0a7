import type { FastifyInstance } from 'fastify'

/** Makes the routes of a scope ignore any body that a client library sends. */
export function ignoreBody (scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => { done(null) })
}
