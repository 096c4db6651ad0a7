import type { FastifyReply } from 'fastify'

/** Reports in a header how many parts of a document the output cannot hold, if any. @returns that number */
export function reportDropped (reply: FastifyReply, dropped: ReadonlyArray<{ count: number }>): number {
  const count = dropped.reduce((sum, item) => sum + item.count, 0)
  if (count > 0) reply.header('x-conversion-dropped', count)
  return count
}
