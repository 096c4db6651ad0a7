import { headerOf } from './fields.ts'
import type { Fields } from './fields.ts'
import { readSessionCookie } from './session-cookie.ts'
import type { Allowed } from './verdict.ts'

/**
 * Reads what a reverse proxy or a server says about a connection. Call it only where the request carried the secret:
 * `X-User-Id` is the user, `X-Can-Edit` absent or exactly `True` (Python's) lets edit and anything else reads only,
 * `X-Session-Key` is the session key, else the session cookie is.
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
