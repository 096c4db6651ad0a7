import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { DocumentDeletion } from '../documents/document-deletion.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly deletion: DocumentDeletion }
}

const dayMs = 24 * 60 * 60 * 1000

/** Adds `app.deletion`, which deletes documents on all nodes and removes old tombstones. */
export default fp(async function deletion (app: FastifyInstance) {
  async function closeRooms (room: string, upTo: number): Promise<number> {
    const asked = app.cluster.ask({ type: 'delete', room, upTo })
    const here = app.rooms.documentDeleted(room, upTo)
    const { answers, silent } = await asked
    if (silent.length > 0) {
      const event = 'Not every node has confirmed a deletion; the others close the room when they are reached, or at their next look into the store'
      app.log.warn({ nodes: silent, room }, event)
    }
    return answers.reduce<number>((sum, closed = 0) => sum + closed, here)
  }

  const deletion = new DocumentDeletion({
    store: app.store,
    work: app.documentWork,
    tombstonesForMs: app.config.DELETED_FOR * dayMs,
    logger: app.log,
    closeRooms,
  })
  app.decorate('deletion', deletion)
  app.addHook('onReady', () => deletion.sweep())
  app.addHook('onClose', () => deletion.close())
}, { name: 'deletion', dependencies: ['env', 'store', 'document-work', 'cluster', 'rooms', 'connections'], fastify: '5.x' })
