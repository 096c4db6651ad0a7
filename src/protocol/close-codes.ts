import type { RefusalRule } from '../logging/refusal-rules.ts'

/**
 * Why the server closes a WebSocket. y-websocket 3.1 stops for good on 4400-4499 and retries on every other code
 * (`defaultShouldReconnect` in its source); browsers see only the code and the reason.
 */
export interface CloseReason {
  readonly code: number
  /** At most 123 bytes of UTF-8 (RFC 6455, section 5.5) */
  readonly reason: string
  /** For a temporary reason: clients retry at a random moment within so many ms, not all at once */
  readonly retryWithinMs?: number
  /** undefined: the close is no refusal; the service stops, or clients must be authorised again */
  readonly rule?: RefusalRule
}

/**
 * The reason as a client gets it, with a hint of its own when to retry. Stock clients ignore the hint and back off by
 * their own rule.
 */
export function reasonFor ({ reason, retryWithinMs }: CloseReason, random: () => number = Math.random): string {
  if (retryWithinMs === undefined) return reason
  return `${reason.replace(/\.$/, '')}, retry in ${Math.ceil(random() * retryWithinMs)} ms`
}

/** The reasons of y-provider. Codes from 4000 on are ours (contract: docs/protocol.md). */
export const closes = {
  /** The process stops and another takes over: clients retry soon */
  restart: { code: 1012, reason: 'Service restart', retryWithinMs: 1000 },
  textFrame: { code: 1003, reason: 'Only binary messages are understood', rule: 'textFrame' },
  malformed: { code: 1007, reason: 'Malformed message', rule: 'malformed' },
  /** Clients reconnect and are authorised again */
  reset: { code: 4205, reason: 'Reset Connection' },
  /** The page of La Suite Docs stops retrying on exactly this code and reason */
  noCookies: { code: 4001, reason: 'No cookies', rule: 'noCookies' },
  noCredentials: { code: 4401, reason: 'No credentials came in time', rule: 'noCredentials' },
  ticketInvalid: { code: 4401, reason: 'Ticket expired or invalid', rule: 'ticketInvalid' },
  forbidden: { code: 4403, reason: 'permission-denied', rule: 'forbidden' },
  deleted: { code: 4404, reason: 'Document deleted', rule: 'deleted' },
  tooLarge: { code: 4413, reason: 'Document is above its size limit', rule: 'tooLarge' },
  /** The stored bytes are not what was written: retries cannot help, an operator can */
  damaged: { code: 4422, reason: 'Document is damaged in the store', rule: 'damaged' },
  unavailable: { code: 4503, reason: 'Try again later', retryWithinMs: 2000, rule: 'unavailable' },
  silent: { code: 4508, reason: 'Silent for too long', rule: 'silent' },
  unfinished: { code: 4508, reason: 'A message took too long to arrive', rule: 'unfinished' },
  tooSlow: { code: 4508, reason: 'Reading too slowly', rule: 'tooSlow' },
  tooMany: { code: 4529, reason: 'Too many messages, documents or refusals', rule: 'tooMany' },
  tooManyConnections: { code: 4529, reason: 'Too many connections', rule: 'tooManyConnections' },
} as const satisfies Record<string, CloseReason>
