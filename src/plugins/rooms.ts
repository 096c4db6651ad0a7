import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { Rooms } from '../sync/rooms.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly rooms: Rooms }
}

/**
 * The sync engine, with every open room of this process. Adds `app.rooms`. The websocket plugin closes it, since the
 * connections must end before the server can stop.
 */
export default fp(async function rooms (app: FastifyInstance) {
  const { config } = app
  const rooms = new Rooms({
    store: app.store,
    otherNodes: app.cluster,
    work: app.documentWork,
    logger: app.log,
    now: () => performance.now(),
    limits: {
      maxDocumentBytes: config.MAX_DOCUMENT_BYTES,
      maxDocumentClients: config.MAX_DOCUMENT_CLIENTS,
      maxDocumentDeleteRanges: config.MAX_DOCUMENT_DELETE_RANGES,
      maxAwarenessBytes: config.MAX_AWARENESS_BYTES,
      maxUnsavedBytes: config.MAX_UNSAVED_BYTES,
      maxTickSpacingMs: config.MAX_TICK_SPACING_MS,
      silenceMs: config.IDLE_TIMEOUT_MS,
    },
  })
  app.decorate('rooms', rooms)
  app.readiness.add('rooms', async function updatesAreStored () {
    if (rooms.storeFailingSince !== undefined) throw new Error(`${rooms.unsavedBytes} bytes of updates wait for the store`)
  })
}, { name: 'rooms', dependencies: ['env', 'readiness', 'store', 'cluster', 'document-work'], fastify: '5.x' })
