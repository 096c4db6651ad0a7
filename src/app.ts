import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerClientError, answerError, NotFound } from './errors.ts'
import { loggerOptions, logResponse, type LogStream } from './logging/logger-options.ts'
import access from './plugins/access.ts'
import cluster from './plugins/cluster.ts'
import connections from './plugins/connections.ts'
import contentEncoding from './plugins/content-encoding.ts'
import converter from './plugins/converter.ts'
import cors from './plugins/cors.ts'
import documentWork from './plugins/document-work.ts'
import env, { processEnvironment, readSettings } from './plugins/env.ts'
import metrics from './plugins/metrics.ts'
import optionsRoutes from './plugins/options-routes.ts'
import patience from './plugins/patience.ts'
import readiness from './plugins/readiness.ts'
import refusals from './plugins/refusals.ts'
import rooms from './plugins/rooms.ts'
import secret from './plugins/secret.ts'
import startLine from './plugins/start-line.ts'
import store from './plugins/store.ts'
import websocket from './plugins/websocket.ts'
import about from './routes/about.ts'
import collaborationWs from './routes/collaboration-ws.ts'
import convert from './routes/convert.ts'
import convertMarkdown from './routes/convert-markdown.ts'
import getConnections from './routes/get-connections.ts'
import health from './routes/health.ts'
import metricsRoute from './routes/metrics.ts'
import ping from './routes/ping.ts'
import resetConnections from './routes/reset-connections.ts'
import type { Environment } from './settings/prepare.ts'
import { trustedProxies } from './settings/derived.ts'

export interface BuildOptions {
  /** The variables to read the settings from; those of the process where it is left out. */
  readonly env?: Environment
  /** Where log lines go instead of standard output; false for nowhere. */
  readonly logger?: LogStream | false
}

/** A room's name has at most 255 characters of four bytes, percent-encoded: 3,060. */
const maxParamLength = 4096

/** Headers must arrive within Node's 60 s; a whole request, the largest upload on a slow line included, within this. */
const requestTimeoutMs = 300_000

/** How long one plugin may take to start: opening a large store on a busy machine takes seconds, not this long. */
const pluginTimeoutMs = 60_000

/**
 * The service, ready to listen. Here, and only here, stands the order of the plugins and who may reach which route.
 * @throws InvalidSettings when a setting is missing, malformed or unsafe
 */
export async function buildApp ({ env: environment = processEnvironment(), logger }: BuildOptions = {}): Promise<FastifyInstance> {
  const settings = await readSettings(environment)
  const app: FastifyInstance = Fastify({
    logger: logger === false ? false : loggerOptions(settings, logger),
    logController: new LogController({ disableRequestLogging: true }), // logResponse does it, by what came of the request
    trustProxy: trustedProxies(settings),
    requestTimeout: requestTimeoutMs,
    pluginTimeout: pluginTimeoutMs,
    return503OnClosing: false, // ours has our shape, and lets health/ready answer: refuseWhileDraining
    routerOptions: { ignoreTrailingSlash: true, maxParamLength },
    frameworkErrors: refuseMalformedUrl,
    clientErrorHandler: answerClientError,
  })
  app.setErrorHandler(answerError)
  app.addHook('onResponse', endRefusedHandshake)
  app.addHook('onResponse', logResponse)

  // onClose hooks run in reverse order: what is registered first closes last.
  await app.register(patience)
  await app.register(env, { settings, environment })
  await app.register(readiness)
  await app.register(metrics)
  await app.register(refusals)
  await app.register(secret)
  await app.register(cors)
  await app.register(optionsRoutes)
  await app.register(contentEncoding)
  await app.register(store)
  await app.register(documentWork)
  await app.register(cluster)
  await app.register(rooms)
  await app.register(access)
  await app.register(websocket)
  await app.register(connections)
  await app.register(converter)
  await app.register(startLine)

  await app.register(async function open (scope) {
    scope.addHook('onRequest', refuseHandshake)
    await scope.register(about)
    await scope.register(ping)
    await scope.register(health)
  })

  await app.register(async function authenticated (scope) {
    scope.addHook('onRequest', scope.verifySecret)
    scope.addHook('onRequest', refuseHandshake)
    scope.addHook('onRequest', refuseUnknownRoute)
    scope.addHook('onRequest', scope.refuseWhileDraining)
    scope.setNotFoundHandler(refuseUnknownRoute)
    await scope.register(resetConnections)
    await scope.register(getConnections)
    await scope.register(convert)
    await scope.register(convertMarkdown)
    await scope.register(metricsRoute)
  })

  // A browser cannot send the secret: these judge a ticket or a cookie too. A secret that is there and wrong is refused as above.
  await app.register(async function authenticatedSockets (scope) {
    scope.addHook('onRequest', scope.verifyHandshake)
    scope.addHook('onRequest', scope.refuseWhileDraining)
    await scope.register(collaborationWs)
  })

  return app
}

/** The WebSocket plugin would upgrade any route, and log the address with its ticket. */
async function refuseHandshake (request: FastifyRequest): Promise<void> {
  if (request.ws) throw new NotFound()
}

/** A handshake that was answered instead of upgraded leaves a socket that nobody else would end, and that a stop would wait for. */
async function endRefusedHandshake (request: FastifyRequest): Promise<void> {
  endUpgradeSocket(request)
}

function endUpgradeSocket ({ headers, raw }: FastifyRequest): void {
  if (headers.upgrade !== undefined) raw.socket.destroySoon()
}

/** Before the body is read: what it holds does not matter to a route that is not there. */
async function refuseUnknownRoute (request: FastifyRequest): Promise<void> {
  if (request.is404) throw new NotFound()
}

/** What cannot be routed (`/%`) meets the same checks as an unknown route. Hooks do not run for it. */
async function refuseMalformedUrl (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.raw.once('finish', () => { endUpgradeSocket(request) })
  try {
    await request.server.verifyOrigin(request)
    await request.server.verifySecret(request)
    answerError(error, request, reply)
  } catch (refusal) {
    // The two checks throw nothing but errors of errors.ts.
    answerError(refusal as FastifyError, request, reply)
  }
}
