import { encodeAuthenticated, encodeSyncStatus } from '../protocol/encode-message.ts'
import type { WireProtocol } from '../sync/wire-protocol.ts'

const stored = encodeSyncStatus(true)
const refused = encodeSyncStatus(false)

/**
 * Hocuspocus: the client counts the answers to its own questions, so the server asks only after it has answered; each
 * update is acknowledged.
 */
export const hocuspocusProtocol: WireProtocol = {
  name: 'hocuspocus',
  initialSync: (_step1, presence) => presence,
  afterAnswer: (step1) => [step1()],
  acknowledgement: (isStored) => isStored ? stored : refused,
  accessRenewed: encodeAuthenticated,
  accessChanged: encodeAuthenticated,
}
