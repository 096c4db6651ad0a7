import { headerOf } from './fields.ts'
import type { Fields } from './fields.ts'
import { readSessionCookie } from './session-cookie.ts'
import type { Allowed } from './verdict.ts'

/**
 * Reads the access that a reverse proxy or a server grants. Call it only if the request carries the secret. `X-User-Id`
 * is the user. `X-Can-Edit` allows editing if it is absent or exactly `True` (as Python writes it). `X-Session-Key` is
 * the session key; without it, the session cookie is.
 */
export function readForwardedHeaders (headers: Fields, sessionCookies: readonly string[]): Omit<Allowed, 'epoch'> {
  const canEdit = headerOf(headers, 'x-can-edit')
  return {
    allowed: true,
    userId: headerOf(headers, 'x-user-id') || undefined,
    canEdit: canEdit === undefined || canEdit === 'True',
    sessionKey: headerOf(headers, 'x-session-key') || readSessionCookie(headerOf(headers, 'cookie'), sessionCookies),
  }
}
