import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createAuthoriser, type Authoriser } from '../access/authorise.ts'
import { openBackend } from '../access/backend.ts'
import { Epochs } from '../access/epochs.ts'
import { createSecretCheck } from '../access/secret-check.ts'
import { createTicketCheck } from '../access/ticket.ts'
import { Durations } from '../logging/durations.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly authoriser: Authoriser
    /** The resets so far: a verdict from before a reset gives no access. */
    readonly epochs: Epochs
  }
}

/** Adds `app.authoriser`, which checks the secret, tickets and (with Django) cookies, and `app.epochs`. */
export default fp(async function access (app: FastifyInstance) {
  const { config } = app
  const secrets = [config.COLLABORATION_SERVER_SECRET, config.COLLABORATION_SERVER_SECRET_PREVIOUS]
  const now = (): number => Date.now()
  const epochs = new Epochs()
  const answers = new Durations()
  app.metrics.addDurations('backend_call_seconds', 'Calls to Django, including those without an answer', answers)
  const backend = config.COLLABORATION_BACKEND_BASE_URL === ''
    ? undefined
    : openBackend({
      baseUrl: config.COLLABORATION_BACKEND_BASE_URL,
      documentPath: config.COLLABORATION_BACKEND_DOCUMENT_PATH,
      userPath: config.COLLABORATION_BACKEND_USER_PATH,
      timeoutMs: config.COLLABORATION_BACKEND_TIMEOUT,
      maxCalls: config.BACKEND_MAX_CALLS,
      cacheMs: config.BACKEND_CACHE_MS,
      apiKey: config.Y_PROVIDER_API_KEY,
      answers,
      logger: app.log,
      now,
      epochs,
    })
  app.decorate('authoriser', createAuthoriser({
    isSecret: createSecretCheck(secrets),
    checkTicket: createTicketCheck({ secrets, now, epochs }),
    backend,
    askAnonymous: config.BACKEND_ASK_ANONYMOUS,
    sessionCookies: config.COLLABORATION_SESSION_COOKIES,
    epochs,
  }))
  app.decorate('epochs', epochs)
  // Before the server waits for its connections, since a handshake can wait for Django.
  app.addHook('preClose', async function closeBackend () { backend?.close() })
}, { name: 'access', dependencies: ['env', 'metrics'], fastify: '5.x' })
