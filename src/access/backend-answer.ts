import type { CallFailure, CallAnswer } from './backend-call.ts'

/** Django's answer about a document or about the user. */
export type Answer<T> =
  | { readonly kind: 'yes', readonly value: T }
  /** Django denies access: 401, 403, 404, or an ability that is false. */
  | { readonly kind: 'no', readonly status: number }
  /** No usable answer: a fault of the backend, of the network or of a setting. */
  | ({ readonly kind: 'none' } & NoAnswer)

/** The reason why Django gave no usable answer. */
export interface NoAnswer {
  readonly cause:
    | 'redirect' | 'rate-limited' | 'server-error' | 'unexpected-status' | 'not-json' | 'wrong-shape'
    | 'overloaded' | 'unexpected' | CallFailure['kind']
  readonly status?: number
  readonly code?: string | undefined
  readonly location?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/** Reads the member `abilities`: `retrieve` decides about reading; only `update: true` allows editing. */
export function readDocumentAnswer (answer: CallAnswer, now: number): Answer<{ canEdit: boolean }> {
  const parsed = parseAnswer(answer, now)
  if (parsed.kind !== 'yes') return parsed
  const abilities = parsed.value
  if (!isRecord(abilities) || typeof abilities['retrieve'] !== 'boolean') return { kind: 'none', cause: 'wrong-shape', status: answer.status }
  if (!abilities['retrieve']) return { kind: 'no', status: answer.status }
  return { kind: 'yes', value: { canEdit: abilities['update'] === true } }
}

/** Reads the member `id`: a string, or an integer (Django's default primary key). */
export function readUserAnswer (answer: CallAnswer, now: number): Answer<{ userId: string }> {
  const parsed = parseAnswer(answer, now)
  if (parsed.kind !== 'yes') return parsed
  const id = parsed.value
  if (typeof id === 'string' && id !== '') return { kind: 'yes', value: { userId: id } }
  if (Number.isSafeInteger(id)) return { kind: 'yes', value: { userId: String(id) } }
  return { kind: 'none', cause: 'wrong-shape', status: answer.status }
}

/** Tells a denial from a fault by the status, and takes the requested member from the body of a 200. */
function parseAnswer ({ status, headers, member }: CallAnswer, now: number): Answer<unknown> {
  if (status === 401 || status === 403 || status === 404) return { kind: 'no', status }
  const retryAfterMs = readRetryAfter(headers['retry-after'], now)
  if (status === 429) return { kind: 'none', cause: 'rate-limited', status, retryAfterMs }
  if (status >= 500) return { kind: 'none', cause: 'server-error', status, retryAfterMs }
  if (status >= 300 && status < 400) return { kind: 'none', cause: 'redirect', status, location: withoutQuery(headers.location) }
  if (status !== 200) return { kind: 'none', cause: 'unexpected-status', status }
  try {
    return { kind: 'yes', value: member.value() }
  } catch {
    return { kind: 'none', cause: 'not-json', status }
  }
}

/** Ms; longer values are shortened, so that an hour set by mistake does not mean an hour offline. */
const maxRetryAfterMs = 5 * 60_000

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter (value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxRetryAfterMs)
}

/** A query can contain secrets; the rest tells a login page from a redirect to https. */
const withoutQuery = (location: string | undefined) => location?.replace(/[?#].*/su, '').slice(0, 200)

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
