import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { NodesSilent } from '../errors.ts'

/** How many connections of a room may edit, and whether one of them belongs to a session. */
interface Count { readonly count: number, readonly exists: boolean }

declare module 'fastify' {
  interface FastifyInstance {
    /** The connections of all nodes. */
    readonly connections: {
      /**
       * Closes all connections and sockets of a room or those of one user, on every node, and lets nobody in by a verdict
       * from before.
       * @returns how many were closed
       * @throws NodesSilent where some nodes did not say that they have done it; they do it when they come back
       */
      reset (room: string, userId: string | undefined): Promise<number>
      /**
       * @returns undefined where nobody is connected
       * @throws NodesSilent where some nodes did not answer
       */
      count (room: string, sessionKey: string): Promise<Count | undefined>
    }
  }
}

/** What Django asks of all connections to a room, wherever they are. */
export default fp(async function connections (app: FastifyInstance) {
  function resetHere (room: string, userId: string | undefined): number {
    // First, so that whoever is being judged now is judged again.
    app.epochs.reset(room, userId)
    const closed = app.rooms.reset(room, userId)
    return closed + app.gate.roomSockets.reset(room, userId)
  }

  app.answerNodes(function answer (question) {
    if (question.type === 'reset') return resetHere(question.room, question.userId)
    if (question.type === 'count') return app.rooms.count(question.room, question.sessionKey)
    return app.rooms.readAgain(question.room)
  })

  async function ask (question: Parameters<typeof app.cluster.ask>[0]): Promise<readonly unknown[]> {
    const { answers, silent } = await app.cluster.ask(question)
    if (silent.length === 0) return answers
    app.log.error({ nodes: silent, question: question.type }, 'Not every node has answered')
    throw new NodesSilent(silent.join(', '))
  }

  app.decorate('connections', {
    async reset (room, userId) {
      const asked = ask({ type: 'reset', room, userId })
      const here = resetHere(room, userId)
      // Every node answers a reset with a number.
      return (await asked as number[]).reduce((sum, count) => sum + count, here)
    },
    async count (room, sessionKey) {
      const asked = ask({ type: 'count', room, sessionKey })
      const here = app.rooms.count(room, sessionKey)
      // Every node answers with what `rooms.count` says, undefined as null.
      const counts = [here, ...await asked as Array<Count | null>].filter((counted) => counted !== null && counted !== undefined)
      if (counts.length === 0) return undefined
      return { count: counts.reduce((sum, { count }) => sum + count, 0), exists: counts.some(({ exists }) => exists) }
    },
  })
}, { name: 'connections', dependencies: ['cluster', 'rooms', 'access', 'websocket'], fastify: '5.x' })
