import * as encoding from 'lib0/encoding'
import { hocuspocusAuthType, messageType, syncType } from './message.ts'

/*
 * Messages to clients, without address and WebSocket frame (see frame.ts). A Hocuspocus message is the address of the
 * document followed by the very bytes that y-websocket uses, so one body serves the clients of both.
 */

export const encodeSyncStep1 = (stateVector: Uint8Array): Uint8Array => sync(syncType.step1, stateVector)
/** A client calls itself synced when it has this. */
export const encodeSyncStep2 = (update: Uint8Array): Uint8Array => sync(syncType.step2, update)
export const encodeUpdate = (update: Uint8Array): Uint8Array => sync(syncType.update, update)

export function encodeAwarenessMessage (update: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.awareness)
  encoding.writeVarUint8Array(encoder, update)
  return encoding.toUint8Array(encoder)
}

/** Asks a client for all presence that it knows, its own included. */
export const encodeAwarenessQuestion = (): Uint8Array => Uint8Array.of(messageType.queryAwareness)

/** y-websocket's refusal (y-protocols/auth.js): the client prints the reason. */
export function encodePermissionDenied (reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, 0)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** Hocuspocus' refusal: the client emits `authenticationFailed` with the reason. */
export function encodeHocuspocusDenied (reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, hocuspocusAuthType.permissionDenied)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** Tells a Hocuspocus client that it is in and what it may do. */
export function encodeAuthenticated (canEdit: boolean): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, hocuspocusAuthType.authenticated)
  encoding.writeVarString(encoder, canEdit ? 'read-write' : 'readonly')
  return encoding.toUint8Array(encoder)
}

/** Tells a Hocuspocus client that one update of its is stored (true) or was refused (false). */
export const encodeSyncStatus = (stored: boolean): Uint8Array => Uint8Array.of(messageType.syncStatus, stored ? 1 : 0)

/**
 * Answers a y-websocket client's question: all that it had sent before is stored (true), or some of it was refused and
 * is not (false). Never sent unasked: a client without a handler logs an error for a type it does not know.
 */
export function encodeStoredAnswer (number: number, isStored: boolean): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.stored)
  encoding.writeVarUint(encoder, number)
  encoding.writeVarUint(encoder, isStored ? 1 : 0)
  return encoding.toUint8Array(encoder)
}

/**
 * Answers a y-websocket client's renewal: its ticket was accepted, and the client can edit (true) or only read (false).
 * Never sent unasked, like `encodeStoredAnswer`.
 */
export const encodeRenewed = (canEdit: boolean): Uint8Array => Uint8Array.of(messageType.renewal, canEdit ? 1 : 0)

export const encodePong = (): Uint8Array => Uint8Array.of(messageType.pong)

/** Hocuspocus' in-band close: the provider leaves the document though the socket may go on. */
export function encodeCloseMessage (reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.close)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** Written by hand at its exact size: pieces of 256 KiB pass here, and a growing encoder would copy them twice. */
function sync (type: number, bytes: Uint8Array): Uint8Array {
  const length = encoding.encode((encoder) => { encoding.writeVarUint(encoder, bytes.length) })
  const message = new Uint8Array(2 + length.length + bytes.length)
  message[0] = messageType.sync
  message[1] = type
  message.set(length, 2)
  message.set(bytes, 2 + length.length)
  return message
}
