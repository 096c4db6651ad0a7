import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { asDjango } from '../helper.ts'

/** A request with the secret, and its answer byte for byte. */
export type Answer = readonly [
  method: 'GET' | 'POST' | 'HEAD' | 'PUT' | 'DELETE' | 'PATCH',
  path: string,
  status: number,
  body: string
]

/** The body of an answer to a request without a valid secret or key. */
export const forbidden = '{"error":"Forbidden: Invalid API Key"}'

/** Sends each request with and without a trailing slash. Without the secret, all of them are 403. */
export async function checkAnswers (t: Test, app: FastifyInstance, table: readonly Answer[]): Promise<void> {
  for (const [method, path, status, body] of table) {
    for (const url of [path, path.replace(/(?=\?|$)/, '/')]) {
      const response = await app.inject({ method, url, headers: asDjango })
      t.same([response.statusCode, response.body], [status, body], `${method} ${url}`)
      if (body !== '') t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
      const withoutSecret = await app.inject({ method, url })
      t.same([withoutSecret.statusCode, withoutSecret.body], [403, method === 'HEAD' ? '' : forbidden], `${method} ${url} without the secret`)
    }
  }
}
