import type { FastifyRequest } from 'fastify'
import { ParameterRepeated } from '../errors.ts'

/** A hook for `preValidation` that refuses query parameters which are given more than once. */
export function refuseRepeated (...names: readonly string[]): (request: FastifyRequest) => Promise<void> {
  return async function refuseRepeatedParameters ({ query }) {
    const given = query as Readonly<Record<string, unknown>> // the router's parser returns an object
    const repeated = names.find((name) => Array.isArray(given[name]))
    if (repeated !== undefined) throw new ParameterRepeated(repeated)
  }
}
