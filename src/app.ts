import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerClientError, answerError, NotFound } from './errors.ts'
import { loggerOptions, type LogStream } from './logging/logger-options.ts'
import access from './plugins/access.ts'
import cluster from './plugins/cluster.ts'
import connections from './plugins/connections.ts'
import contentEncoding from './plugins/content-encoding.ts'
import converter from './plugins/converter.ts'
import cors from './plugins/cors.ts'
import deletion from './plugins/deletion.ts'
import documentWork from './plugins/document-work.ts'
import documents from './plugins/documents.ts'
import documentWriter from './plugins/document-writer.ts'
import env, { processEnvironment, readSettings } from './plugins/env.ts'
import metrics from './plugins/metrics.ts'
import optionsRoutes from './plugins/options-routes.ts'
import patience from './plugins/patience.ts'
import readiness from './plugins/readiness.ts'
import refusals from './plugins/refusals.ts'
import responseLog from './plugins/response-log.ts'
import rooms from './plugins/rooms.ts'
import secret from './plugins/secret.ts'
import startLine from './plugins/start-line.ts'
import store from './plugins/store.ts'
import websocket from './plugins/websocket.ts'
import about from './routes/about.ts'
import collaborationWs from './routes/collaboration-ws.ts'
import convert from './routes/convert.ts'
import convertMarkdown from './routes/convert-markdown.ts'
import copyDocument from './routes/copy-document.ts'
import createDocument from './routes/create-document.ts'
import deleteDocument from './routes/delete-document.ts'
import deleteDocuments from './routes/delete-documents.ts'
import document from './routes/document.ts'
import documentConnections from './routes/document-connections.ts'
import editDocument from './routes/edit-document.ts'
import getConnections from './routes/get-connections.ts'
import health from './routes/health.ts'
import listDocuments from './routes/list-documents.ts'
import metricsRoute from './routes/metrics.ts'
import ping from './routes/ping.ts'
import replaceDocument from './routes/replace-document.ts'
import resetConnections from './routes/reset-connections.ts'
import resetDocumentConnections from './routes/reset-document-connections.ts'
import type { Environment } from './settings/prepare.ts'
import { trustedProxies } from './settings/derived.ts'

/** The surroundings of a service. */
export interface BuildOptions {
  /** The variables to read the settings from; default: those of the process. */
  readonly env?: Environment
  /** The destination of log lines; default: standard output; false: none. */
  readonly logger?: LogStream | false
}

/** Characters; a room's name has at most 255 characters of four bytes, which are 3,060 when percent-encoded. */
const maxParamLength = 4096

/** ms for a whole request, enough for the largest upload on a slow line; its headers must arrive within Node's 60 s. */
const requestTimeoutMs = 300_000

/** ms for one plugin to start: opening a large store on a busy machine takes seconds. */
const pluginTimeoutMs = 60_000

/**
 * Builds the service, ready to listen. Only this function knows the order of the plugins and the access to each route.
 * @throws InvalidSettings when a setting is missing, malformed or unsafe
 */
export async function buildApp (
  { env: environment = processEnvironment(), logger }: BuildOptions = {}
): Promise<FastifyInstance> {
  const settings = await readSettings(environment)
  const { LOG_LEVEL: level, NODE_ENV } = settings
  const app: FastifyInstance = Fastify({
    logger: logger === false ? false : loggerOptions({ level, isReadable: NODE_ENV === 'development', stream: logger }),
    logController: new LogController({ disableRequestLogging: true }), // the plugin response-log logs requests
    trustProxy: trustedProxies(settings),
    requestTimeout: requestTimeoutMs,
    pluginTimeout: pluginTimeoutMs,
    return503OnClosing: false, // refuseWhileDraining answers in the shape of this API, and lets health/ready answer
    routerOptions: { ignoreTrailingSlash: true, maxParamLength },
    frameworkErrors: refuseMalformedUrl,
    clientErrorHandler: answerClientError,
  })
  app.setErrorHandler(answerError)
  app.addHook('onResponse', endRefusedHandshake)

  // onClose hooks run in reverse order: the plugin that is registered first closes last.
  await app.register(responseLog)
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
  await app.register(documents)
  await app.register(cluster)
  await app.register(rooms)
  await app.register(access)
  await app.register(websocket)
  await app.register(connections)
  await app.register(deletion)
  await app.register(converter)
  await app.register(documentWriter)
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
    await scope.register(listDocuments)
    await scope.register(document)
    await scope.register(createDocument)
    await scope.register(replaceDocument)
    await scope.register(editDocument)
    await scope.register(copyDocument)
    await scope.register(deleteDocument)
    await scope.register(deleteDocuments)
    await scope.register(documentConnections)
    await scope.register(resetDocumentConnections)
    await scope.register(metricsRoute)
  })

  // A browser cannot send the secret, so these routes accept a ticket or a cookie too. A wrong secret is refused as
  // above.
  await app.register(async function authenticatedSockets (scope) {
    scope.addHook('onRequest', scope.verifyHandshake)
    scope.addHook('onRequest', scope.refuseWhileDraining)
    await scope.register(collaborationWs)
  })

  return app
}

/** Refuses a handshake: the WebSocket plugin would upgrade any route, and log the URL with its ticket. */
async function refuseHandshake (request: FastifyRequest): Promise<void> {
  if (request.ws) throw new NotFound()
}

/**
 * Ends the socket of a handshake that was answered instead of upgraded: it would stay open, and a stop would wait for
 * it.
 */
async function endRefusedHandshake (request: FastifyRequest): Promise<void> {
  endUpgradeSocket(request)
}

function endUpgradeSocket ({ headers, raw }: FastifyRequest): void {
  if (headers.upgrade !== undefined) raw.socket.destroySoon()
}

/** Refuses an unknown route before its body is read. */
async function refuseUnknownRoute (request: FastifyRequest): Promise<void> {
  if (request.is404) throw new NotFound()
}

/** Runs the checks of an unknown route for a URL that cannot be routed (`/%`), for which Fastify runs no hooks. */
async function refuseMalformedUrl (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.raw.once('finish', () => { endUpgradeSocket(request) })
  try {
    await request.server.verifyOrigin(request)
    await request.server.verifySecret(request)
    answerError(error, request, reply)
  } catch (refusal) {
    // The two checks throw only errors of errors.ts.
    answerError(refusal as FastifyError, request, reply)
  }
}
