import * as encoding from 'lib0/encoding'
import { hocuspocusAuthType, messageType, syncType } from './message.ts'

/*
 * Messages to clients, without address and WebSocket frame (see frame.ts). A Hocuspocus message is the address of the
 * document followed by the bytes that y-websocket uses, so one body serves the clients of both.
 */

/** Asks a client for what the server lacks. */
export const encodeSyncStep1 = (stateVector: Uint8Array): Uint8Array => sync(syncType.step1, stateVector)
/** Answers a client's step 1; the client counts as synced from now on. */
export const encodeSyncStep2 = (update: Uint8Array): Uint8Array => sync(syncType.step2, update)
/** An update that the client has not asked for. */
export const encodeUpdate = (update: Uint8Array): Uint8Array => sync(syncType.update, update)

/** Who is present, or has left. @param update see `encodeAwareness` */
export function encodeAwarenessMessage (update: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.awareness)
  encoding.writeVarUint8Array(encoder, update)
  return encoding.toUint8Array(encoder)
}

/** Asks a client for all presence that it knows, including its own. */
export const encodeAwarenessQuery = (): Uint8Array => Uint8Array.of(messageType.queryAwareness)

/** `messagePermissionDenied` of y-protocols/auth.js */
const permissionDenied = 0

/** y-websocket's refusal (y-protocols/auth.js): the client prints the reason. */
export function encodePermissionDenied (reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, permissionDenied)
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

/** Admits a Hocuspocus client, with its rights. */
export function encodeAuthenticated (canEdit: boolean): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.auth)
  encoding.writeVarUint(encoder, hocuspocusAuthType.authenticated)
  encoding.writeVarString(encoder, canEdit ? 'read-write' : 'readonly')
  return encoding.toUint8Array(encoder)
}

/** Acknowledges one update of a Hocuspocus client: it is stored (true) or was refused (false). */
export const encodeSyncStatus = (stored: boolean): Uint8Array => Uint8Array.of(messageType.syncStatus, stored ? 1 : 0)

/**
 * Answers a y-websocket client's question: everything that it had sent before is stored (true), or some of it was
 * refused and is not (false). Never sent unasked: a client without a handler logs an error for an unknown type.
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

/** Answers a Hocuspocus client's ping. */
export const encodePong = (): Uint8Array => Uint8Array.of(messageType.pong)

/** Hocuspocus' in-band close: the provider leaves the document, and the socket can stay open. */
export function encodeCloseMessage (reason: string): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, messageType.close)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** Written at its exact size: for a piece of 256 KiB a growing encoder would copy the bytes twice. */
function sync (type: number, bytes: Uint8Array): Uint8Array {
  const length = encoding.encode((encoder) => { encoding.writeVarUint(encoder, bytes.length) })
  const message = new Uint8Array(2 + length.length + bytes.length)
  message[0] = messageType.sync
  message[1] = type
  message.set(length, 2)
  message.set(bytes, 2 + length.length)
  return message
}
