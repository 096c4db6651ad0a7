import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { comparePlaces, joinPages, type ConnectionPage, type NodeConnections, type Place } from '../cluster/connection-page.ts'
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
      /**
       * Counts the connections of rooms.
       * @returns the numbers above 0
       * @throws NodesSilent if some nodes did not answer
       */
      sizes (rooms: readonly string[]): Promise<ReadonlyMap<string, number>>
      /**
       * Lists connections of a room, the oldest first, and who is present in each.
       * @param after the page begins after this place; undefined: with the first connection
       * @param limit of the connections, at least 1; large states make a page shorter
       * @throws NodesSilent if some nodes did not answer
       */
      list (room: string, after: Place | undefined, limit: number): Promise<ConnectionPage>
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

  function sizesHere (rooms: readonly string[]): readonly number[] {
    return rooms.map((room) => app.rooms.size(room))
  }

  function listHere (room: string, after: Place | undefined, limit: number): NodeConnections {
    const { name: node } = app.cluster
    const { connections, isComplete } = app.rooms.list(room, ({ openedAt: since, number }) => {
      return after === undefined || comparePlaces({ since, node, number }, after) > 0
    }, limit)
    return { connections: connections.map((connection) => ({ ...connection, node })), isComplete }
  }

  app.answerNodes({
    reset: resetHere,
    count: countHere,
    sizes: sizesHere,
    connections: listHere,
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
    async sizes (rooms) {
      if (rooms.length === 0) return new Map()
      const asked = ask({ type: 'sizes', rooms })
      const here = sizesHere(rooms)
      const all = [here, ...await asked]
      const sizes = rooms.map((room, at) => [room, all.reduce((sum, sizes) => sum + (sizes?.[at] ?? 0), 0)] as const)
      return new Map(sizes.filter(([, size]) => size > 0))
    },
    async list (room, after, limit) {
      const asked = ask({ type: 'connections', room, after, limit })
      const here = listHere(room, after, limit)
      return joinPages([here, ...await asked].filter((listed) => listed !== undefined), limit)
    },
  })
}, { name: 'connections', dependencies: ['cluster', 'rooms', 'access', 'websocket'], fastify: '5.x' })
