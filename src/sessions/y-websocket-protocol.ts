import { encodeRenewed } from '../protocol/encode-message.ts'
import type { WireProtocol } from '../sync/wire-protocol.ts'

/**
 * y-websocket: the server asks first, and the client knows no message about stored updates or changed access. Without a
 * handler it logs an error for a message type that it does not know.
 */
export const yWebsocketProtocol: WireProtocol = {
  name: 'y-websocket',
  initialSync: (step1, presence) => [step1(), ...presence],
  afterAnswer: () => [],
  acknowledgement: () => undefined,
  accessRenewed: encodeRenewed,
  accessChanged: () => undefined,
}
