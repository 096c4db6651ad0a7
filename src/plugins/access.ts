import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createAuthoriser, type Authoriser } from '../access/authorise.ts'
import { openBackend, type Backend } from '../access/backend.ts'
import { createSecretCheck } from '../access/secret.ts'
import { createTicketCheck } from '../access/ticket.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly authoriser: Authoriser
    /** Drops what Django has said so far about a room, or about one user in it. */
    readonly forgetVerdicts: Backend['forget']
  }
}

/** Decides who may connect: by secret, ticket or Django's word about a cookie. */
export default fp(async function access (app: FastifyInstance) {
  const { config } = app
  const secrets = [config.COLLABORATION_SERVER_SECRET, config.COLLABORATION_SERVER_SECRET_PREVIOUS]
  const now = (): number => Date.now()
  const backend = config.COLLABORATION_BACKEND_BASE_URL === ''
    ? undefined
    : openBackend({
      baseUrl: config.COLLABORATION_BACKEND_BASE_URL,
      documentPath: config.COLLABORATION_BACKEND_DOCUMENT_PATH,
      userPath: config.COLLABORATION_BACKEND_USER_PATH,
      timeoutMs: config.COLLABORATION_BACKEND_TIMEOUT,
      maxCalls: config.BACKEND_MAX_CALLS,
      cacheMs: config.BACKEND_CACHE_MS,
      logger: app.log,
      now,
    })
  app.decorate('authoriser', createAuthoriser({
    isSecret: createSecretCheck(secrets),
    checkTicket: createTicketCheck({ secrets, now }),
    backend,
    askAnonymous: config.BACKEND_ASK_ANONYMOUS,
    sessionCookies: config.COLLABORATION_SESSION_COOKIES,
    logger: app.log,
  }))
  app.decorate('forgetVerdicts', function forgetVerdicts (room, userId) { backend?.forget(room, userId) })
  // Before the server waits for its connections: a handshake may wait for Django.
  app.addHook('preClose', async function closeBackend () { backend?.close() })
}, { name: 'access', dependencies: ['env'], fastify: '5.x' })
