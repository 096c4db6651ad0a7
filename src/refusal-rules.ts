/** What somebody who meets a rule needs to know. */
interface RuleNotes {
  /** What is sent: an HTTP status, or the code of the WebSocket's close or of the document's refusal */
  readonly codes: readonly number[]
  /** What a browser or client sees of it */
  readonly seen: string
  /** What to do about it, and who can */
  readonly remedy: string
}

/**
 * Every rule by which the service refuses a request, a WebSocket or a document on one. The names are stable: log lines,
 * `refusals_total` and docs/refusals.md (`npm run refusals-page`) all use them.
 */
export const refusalRules = {
  origin: {
    codes: [403],
    seen: 'The request or handshake fails: `CORS policy violation: Invalid Origin`.',
    remedy: 'Compare `origin` with `allowed`, and add it to `COLLABORATION_SERVER_ORIGIN`: scheme, host and port, no path.',
  },
  secret: {
    codes: [403],
    seen: 'The request or handshake fails: `Forbidden: Invalid API Key`.',
    remedy: 'Send the raw secret in `Authorization`. If `credentials` has no `authorization`, the header is missing; otherwise the secrets of Django, the proxy and y-provider differ.',
  },
  noCredentials: {
    codes: [403, 4401, 4403],
    seen: 'y-websocket: the handshake fails with 403, and the client retries forever. Hocuspocus: permission denied, or 4401 if no Auth message comes within `AUTH_TIMEOUT_MS`.',
    remedy: 'Give the page a ticket, or let its session cookie reach y-provider and set `COLLABORATION_BACKEND_BASE_URL`: without it, cookies give no access. Public documents need `BACKEND_ASK_ANONYMOUS=true`.',
  },
  noCookies: {
    codes: [4001],
    seen: 'Hocuspocus: permission denied, then closed with the reason `No cookies`. La Suite Docs stops there; stock providers reconnect, and Django is not asked.',
    remedy: 'Log in. If the user is logged in, check the domain, path and `SameSite` of the session cookie. Public documents need `BACKEND_ASK_ANONYMOUS=true`.',
  },
  ticketInvalid: {
    codes: [4401],
    seen: 'y-websocket: permission denied, then closed. Hocuspocus: permission denied; the socket stays open.',
    remedy: '`reason` says what is wrong with the ticket. Fetch a new one if it has expired; otherwise check the secret, the room and the clock that Django signs with. Behind nginx\' `auth_request`, this means that Django denied access.',
  },
  forbidden: {
    codes: [4403],
    seen: 'y-websocket: permission denied, then closed. Hocuspocus: permission denied; the socket stays open.',
    remedy: 'Django answered 401, 403 or 404, or `retrieve` is false. If the user should have access, grant it in Django and call reset-connections.',
  },
  otherRoom: {
    codes: [4403],
    seen: 'As `forbidden`.',
    remedy: 'Name one room: `?room=` must equal the path, or the document\'s name in each Hocuspocus message.',
  },
  roomName: {
    codes: [4403],
    seen: 'As `forbidden`; Django is not asked.',
    remedy: 'Use a name that matches `ROOM_NAME_PATTERN`, or change the pattern.',
  },
  deleted: {
    codes: [4404],
    seen: 'As `forbidden`.',
    remedy: 'The document was deleted. The page should say so and stop.',
  },
  tooLarge: {
    codes: [4413],
    seen: 'Closed when it writes; the document can still be read.',
    remedy: 'Raise `MAX_DOCUMENT_BYTES`, `MAX_DOCUMENT_CLIENTS` or `MAX_DOCUMENT_DELETE_RANGES`, or continue in a new document.',
  },
  damaged: {
    codes: [4422],
    seen: 'Closed when it opens the document.',
    remedy: 'Run `y-provider check`, then restore the document from a backup.',
  },
  textFrame: {
    codes: [1003],
    seen: 'Closed.',
    remedy: 'The client speaks another protocol: both protocols send binary messages only.',
  },
  malformed: {
    codes: [1007],
    seen: 'Closed; nothing of the message was stored.',
    remedy: 'Check that the client speaks the protocol of its path. An update that Yjs cannot apply is a bug of the client, or an attack.',
  },
  brokenFrame: {
    codes: [1002, 1007, 1008],
    seen: 'Closed, or cut off (1006).',
    remedy: 'The bytes are not WebSocket frames: look for a proxy that changes them.',
  },
  frameTooLarge: {
    codes: [1009],
    seen: 'Closed, or cut off (1006).',
    remedy: 'Raise `MAX_FRAME_BYTES`. Before a client is in a document, its limit is 512 KiB.',
  },
  unavailable: {
    codes: [4503],
    seen: 'Closed; the client retries.',
    remedy: 'Django or the store gave no answer, or the service is stopping. Another line of the log has the cause.',
  },
  silent: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'Nothing, if a laptop slept or a network failed. A socket that carries no document is closed after 60 s.',
  },
  unfinished: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'A message made no progress for 45 s: the network is too slow, or the client holds memory on purpose.',
  },
  tooSlow: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'The client did not read what it asked for: its network is too slow, or its page hangs.',
  },
  tooMany: {
    codes: [4529],
    seen: 'Closed; the client retries.',
    remedy: 'Look for a client in a loop. Otherwise raise `MAX_MESSAGES_PER_SECOND` or `MAX_BYTES_PER_SECOND`. A Hocuspocus socket carries 200 documents at most, and ends after 20 refusals if it has opened none.',
  },
  tooManyConnections: {
    codes: [4529],
    seen: 'Closed; the client retries.',
    remedy: 'Raise `MAX_CONNECTIONS` or the limit for each user, address or room; after refusals, `MAX_REFUSED_PER_ADDRESS`. Set `TRUST_PROXY`, or all clients behind a proxy count as one address.',
  },
} as const satisfies Record<string, RuleNotes>

export type RefusalRule = keyof typeof refusalRules
