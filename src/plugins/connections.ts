import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { AnswerTo, Count, Question } from '../cluster/question.ts'
import { NodesSilent } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The connections of all nodes. */
    readonly connections: {
      /**
       * Closes all connections and sockets of a room, or those of one user, on every node. Verdicts from before the
       * reset admit nobody.
       * @returns how many were closed
       * @throws NodesSilent if some nodes have not confirmed it; they carry it out once they are reached
       */
      reset (room: string, userId: string | undefined): Promise<number>
      /**
       * Counts the connections of a room that can edit.
       * @returns undefined if nobody is connected
       * @throws NodesSilent if some nodes did not answer
       */
      count (room: string, sessionKey: string): Promise<Count | undefined>
    }
  }
}

/** Answers Django's questions about the connections of a room, on all nodes. Adds `app.connections`. */
export default fp(async function connections (app: FastifyInstance) {
  function resetHere (room: string, userId: string | undefined): number {
    // First, so that a client which is being authorised now is authorised again.
    app.epochs.reset(room, userId)
    const closed = app.rooms.reset(room, userId)
    return closed + app.gate.roomSockets.reset(room, userId)
  }

  function countHere (room: string, sessionKey: string): Count | undefined {
    return app.rooms.count(room, sessionKey)
  }

  app.answerNodes({
    reset: resetHere,
    count: countHere,
    delete: (room, upTo) => app.rooms.documentDeleted(room, upTo),
  })

  async function ask<Asked extends Question> (question: Asked): Promise<readonly AnswerTo<Asked>[]> {
    const { answers, silent } = await app.cluster.ask(question)
    if (silent.length === 0) return answers
    app.log.error({ nodes: silent, question: question.type }, 'Not every node has answered')
    throw new NodesSilent(silent.join(', '))
  }

  app.decorate('connections', {
    async reset (room, userId) {
      const asked = ask({ type: 'reset', room, userId })
      const here = resetHere(room, userId)
      return (await asked).reduce<number>((sum, closed = 0) => sum + closed, here)
    },
    async count (room, sessionKey) {
      const asked = ask({ type: 'count', room, sessionKey })
      const here = countHere(room, sessionKey)
      const counts = [here, ...await asked].filter((count) => count !== undefined)
      if (counts.length === 0) return undefined
      return { count: counts.reduce((sum, { count }) => sum + count, 0), exists: counts.some(({ exists }) => exists) }
    },
  })
}, { name: 'connections', dependencies: ['cluster', 'rooms', 'access', 'websocket'], fastify: '5.x' })
