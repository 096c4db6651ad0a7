import type { FastifyRequest } from 'fastify'
import type { Credential, Requester, Subject } from '../logging/refusals.ts'

/**
 * Describes the client of a request for the log, without the content of its credentials. Keeps no part of the request
 * alive.
 */
export function requesterOf ({ ip, headers, query }: FastifyRequest): Requester {
  const { token } = queryOf(query)
  const { authorization, cookie, origin } = headers
  const present: Record<Credential, unknown> = { authorization, cookie, ticket: token }
  const kinds = Object.keys(present) as Credential[] // the keys of that object
  const credentials = kinds.filter((kind) => present[kind] !== undefined && present[kind] !== '')
  return { address: ip, origin, credentials }
}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** Fastify's parser gives an object with strings and arrays of strings, and nothing where the URL cannot be decoded. */
const queryOf = (query: unknown): Query => (query ?? {}) as Query // that parser

/** The room in a request's path or query. */
export function subjectOf ({ is404, params, query }: FastifyRequest): Subject {
  const { '*': path = '' } = (is404 ? {} : params ?? {}) as { '*'?: string } // the wildcard's parameter is a string or absent
  const { room } = queryOf(query)
  return { room: path !== '' ? path : typeof room === 'object' ? room[0] : room }
}
