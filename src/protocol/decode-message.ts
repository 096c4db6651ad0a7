import * as decoding from 'lib0/decoding'
import { AwarenessUpdate } from './awareness.ts'
import { MalformedMessage } from './malformed-message.ts'
import { hocuspocusAuthType, messageType, syncType, type ClientMessage } from './message.ts'

/** Bytes of an address, at most: a name of 255 characters, the separator and a session id, with room to spare. */
const maxAddressBytes = 2048

/**
 * Reads one y-websocket frame.
 * @throws MalformedMessage
 * @see https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md
 */
export function decodeYWebsocket (frame: Uint8Array): ClientMessage {
  return reading(() => {
    const decoder = decoding.createDecoder(frame)
    const type = decoding.readVarUint(decoder)
    const message = decodeOwn(decoder, type) ?? decodeShared(decoder, type)
    ended(decoder)
    return message
  })
}

/** A Hocuspocus frame: a message and its document. */
export interface AddressedMessage {
  /** As the client wrote it: the document's name, followed by `\0` and a session id in some 4.x clients */
  readonly address: string
  readonly documentName: string
  readonly message: ClientMessage
}

/**
 * Reads one Hocuspocus frame.
 * @throws MalformedMessage
 * @see `MessageReceiver` and `ClientConnection` of @hocuspocus/server
 */
export function decodeHocuspocus (frame: Uint8Array): AddressedMessage {
  return reading(() => {
    const decoder = decoding.createDecoder(frame)
    const addressBytes = decoding.readVarUint8Array(decoder)
    if (addressBytes.length > maxAddressBytes) throw new MalformedMessage('The name of the document is too long')
    const address = utf8.decode(addressBytes)
    const separator = address.indexOf('\0')
    const message = decodeHocuspocusMessage(decoder, decoding.readVarUint(decoder))
    return { address, documentName: separator === -1 ? address : address.slice(0, separator), message }
  })
}

function decodeHocuspocusMessage (decoder: decoding.Decoder, type: number): ClientMessage {
  switch (type) {
    case messageType.auth: {
      const kind = decoding.readVarUint(decoder)
      if (kind !== hocuspocusAuthType.token) throw new MalformedMessage('An auth message must carry a token')
      // Provider 4 sends its version after the token.
      return { type: 'auth', token: decoding.readVarString(decoder) }
    }
    case messageType.syncReply:
      return decodeShared(decoder, messageType.sync)
    case messageType.stateless:
      return { type: 'ignored' }
    case messageType.broadcastStateless:
      throw new MalformedMessage('A client cannot broadcast')
    case messageType.close:
      return { type: 'close' }
    case messageType.ping:
      return { type: 'ping' }
    case messageType.pong:
      return { type: 'ignored' }
    default:
      return decodeShared(decoder, type)
  }
}

function decodeShared (decoder: decoding.Decoder, type: number): ClientMessage {
  switch (type) {
    case messageType.sync:
      return decodeSync(decoder)
    case messageType.awareness:
      return { type: 'awareness', states: new AwarenessUpdate(decoding.readVarUint8Array(decoder)) }
    case messageType.queryAwareness:
      return { type: 'query-awareness' }
    default:
      throw new MalformedMessage(`Unknown message type ${type}`)
  }
}

/** Messages that y-provider adds to those of y-websocket. */
function decodeOwn (decoder: decoding.Decoder, type: number): ClientMessage | undefined {
  switch (type) {
    case messageType.stored: return { type: 'stored-question', number: decoding.readVarUint(decoder) }
    case messageType.renewal: return { type: 'auth', token: decoding.readVarString(decoder) }
    default: return undefined
  }
}

function decodeSync (decoder: decoding.Decoder): ClientMessage {
  const type = decoding.readVarUint(decoder)
  const bytes = decoding.readVarUint8Array(decoder)
  switch (type) {
    case syncType.step1: return { type: 'sync-step-1', stateVector: bytes }
    case syncType.step2: return { type: 'sync-step-2', update: bytes }
    case syncType.update: return { type: 'update', update: bytes }
    default: throw new MalformedMessage(`Unknown sync message type ${type}`)
  }
}

function ended (decoder: decoding.Decoder): void {
  if (decoding.hasContent(decoder)) throw new MalformedMessage('Bytes follow the message')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Turns the errors of lib0, JSON.parse and TextDecoder into MalformedMessage. */
function reading<T> (read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedMessage) throw error
    throw new MalformedMessage('The frame does not decode')
  }
}
