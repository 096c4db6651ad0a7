/** A rule's row in docs/refusals.md. */
interface RuleNotes {
  /** HTTP statuses, or codes of the WebSocket's close or of the document's refusal. */
  readonly codes: readonly number[]
  /** The behaviour that a browser or client sees. */
  readonly seen: string
  /** The steps that fix it. */
  readonly remedy: string
}

/**
 * Every rule by which the service refuses a request, a WebSocket or a document on one. The names must not change: log
 * lines, `refusals_total` and docs/refusals.md (`npm run refusals-page`) use them.
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
    seen: 'Hocuspocus: permission denied, then closed with the reason `No cookies`, unless the socket carries other documents. The page of La Suite Docs stops; stock providers reconnect. Django is not asked.',
    remedy: 'Log in. If the user is logged in, check the domain, path and `SameSite` of the session cookie. Public documents need `BACKEND_ASK_ANONYMOUS=true`.',
  },
  ticketInvalid: {
    codes: [4401],
    seen: 'y-websocket: permission denied, then closed. Hocuspocus: permission denied; the socket stays open.',
    remedy: '`reason` names what is wrong with the ticket. Fetch a new one if it has expired; otherwise check the secret, the room, the user and the clock of the server that signs it. Behind nginx\'s `auth_request`, this means that Django denied access.',
  },
  forbidden: {
    codes: [4403],
    seen: 'y-websocket: permission denied, then closed. Hocuspocus: permission denied; the socket stays open.',
    remedy: 'Django answered 401, 403 or 404, or `retrieve` is false. If the user should have access, grant it in Django and call `reset-connections`.',
  },
  otherRoom: {
    codes: [4403],
    seen: 'Same as `forbidden`.',
    remedy: 'Name one room: `?room=` must equal the path, or the document\'s name in each Hocuspocus message.',
  },
  roomName: {
    codes: [4403],
    seen: 'Same as `forbidden`; Django is not asked.',
    remedy: 'Use a name that matches `ROOM_NAME_PATTERN`, or change the pattern.',
  },
  deleted: {
    codes: [4404],
    seen: 'y-websocket: permission denied, then closed. Hocuspocus: permission denied; the socket stays open.',
    remedy: 'Nothing, if the document was deleted over HTTP or with `y-provider delete`: nobody can open it, and a page that still has its text is refused even after the name is in use again. Reload such a page. See [deleting documents](documents.md#delete-documents).',
  },
  tooLarge: {
    codes: [4413],
    seen: 'Closed when the client writes; the document can still be read.',
    remedy: 'Raise `MAX_DOCUMENT_BYTES`, `MAX_DOCUMENT_CLIENTS` or `MAX_DOCUMENT_DELETE_RANGES`, or continue in a new document.',
  },
  damaged: {
    codes: [4422],
    seen: 'Closed when the client opens the document.',
    remedy: 'Run `y-provider check`, then restore the document from a backup.',
  },
  textFrame: {
    codes: [1003],
    seen: 'Closed.',
    remedy: 'Use a client that speaks one of the two protocols: both send only binary messages.',
  },
  malformed: {
    codes: [1007],
    seen: 'Closed; no part of the message was stored.',
    remedy: 'Check that the client speaks the protocol of its path. An update that Yjs cannot apply is a bug in the client, or an attack.',
  },
  brokenFrame: {
    codes: [1002, 1007, 1008],
    seen: 'Closed, or cut off (1006).',
    remedy: 'The bytes are not valid WebSocket frames: look for a proxy that changes them.',
  },
  frameTooLarge: {
    codes: [1009],
    seen: 'Closed, or cut off (1006).',
    remedy: 'Raise `MAX_FRAME_BYTES`. Before a client is in a document, its limit is 512 KiB.',
  },
  unavailable: {
    codes: [4503],
    seen: 'Closed; the client retries.',
    remedy: 'Django or the store is unavailable, the service is stopping, or memory has reached `MAX_UNSAVED_BYTES` or `MAX_UNFINISHED_BYTES`. Another log line names the cause.',
  },
  silent: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'Nothing, if a laptop slept or a network failed: the client sent nothing for `IDLE_TIMEOUT_MS`. A Hocuspocus socket that carries no document is closed after 60 s.',
  },
  unfinished: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'Check the network: a message made no progress for 45 s. Otherwise the client holds memory on purpose.',
  },
  tooSlow: {
    codes: [4508],
    seen: 'Closed; the client reconnects.',
    remedy: 'Check the network and the page: the client did not read the messages that it requested, because its network is too slow or its page hangs.',
  },
  tooMany: {
    codes: [4529],
    seen: 'Closed; the client retries.',
    remedy: 'Look for a client in a loop. Otherwise raise `MAX_MESSAGES_PER_SECOND` or `MAX_BYTES_PER_SECOND`. A Hocuspocus socket can carry 200 documents, and is closed after 20 refusals if it has opened none.',
  },
  tooManyConnections: {
    codes: [4529],
    seen: 'Closed; the client retries.',
    remedy: 'Raise `MAX_CONNECTIONS` or the limit per user, address or room; if the client was refused before, `MAX_REFUSED_PER_ADDRESS`. Set `TRUST_PROXY`, or all clients behind a proxy count as one address.',
  },
} as const satisfies Record<string, RuleNotes>

/** The name of a rule. */
export type RefusalRule = keyof typeof refusalRules
