import type { AwarenessUpdate } from './awareness.ts'

/** A client's message, in whichever wire protocol it was sent. Byte arrays are views of the frame. */
export type ClientMessage =
  | { readonly type: 'sync-step-1', readonly stateVector: Uint8Array }
  | { readonly type: 'sync-step-2' | 'update', readonly update: Uint8Array }
  | { readonly type: 'awareness', readonly states: AwarenessUpdate }
  | { readonly type: 'query-awareness' }
  /**
   * Credentials. y-websocket clients send them only to renew their access; those of Hocuspocus clients can be empty.
   */
  | { readonly type: 'auth', readonly token: string }
  | { readonly type: 'close' }
  | { readonly type: 'ping' }
  | { readonly type: 'stored-question', readonly number: number }
  /** A message too large for a client that can only read, whose bytes were discarded while it arrived */
  | { readonly type: 'discarded' }
  | { readonly type: 'ignored' }

/** The numbers of the message types. Up to 3 they are those of y-protocols, shared by both protocols. */
export const messageType = {
  sync: 0,
  awareness: 1,
  auth: 2,
  queryAwareness: 3,
  /** From here to 99: Hocuspocus only (`MessageType` in types.ts of @hocuspocus/server) */
  syncReply: 4,
  stateless: 5,
  broadcastStateless: 6,
  close: 7,
  syncStatus: 8,
  ping: 9,
  pong: 10,
  /** Extension of y-websocket: a client asks whether all its updates are stored (docs/protocol.md) */
  stored: 100,
  /** Extension of y-websocket: a client renews its access with another ticket (docs/protocol.md) */
  renewal: 101,
} as const

/** The messages inside a sync message (y-protocols/sync.js). */
export const syncType = { step1: 0, step2: 1, update: 2 } as const

/** The messages inside an auth message (y-protocols/auth.js has permissionDenied = 0; Hocuspocus numbers its own). */
export const hocuspocusAuthType = { token: 0, permissionDenied: 1, authenticated: 2 } as const
