/**
 * What differs on the wire between the protocols of clients. There is one object for each protocol, shared by all its
 * connections; messages are encoded without address and frame.
 */
export interface WireProtocol {
  /** For the log and the metrics */
  readonly name: 'y-websocket' | 'hocuspocus'

  /**
   * The messages that begin the initial sync, before the client has asked for anything.
   * @param step1 encodes the server's question for what the room lacks
   * @param presence everyone who is present
   */
  initialSync (step1: () => Uint8Array, presence: readonly Uint8Array[]): readonly Uint8Array[]

  /** The messages that follow the answer to a client's step 1. */
  afterAnswer (step1: () => Uint8Array): readonly Uint8Array[]

  /**
   * The message that acknowledges one update.
   * @param isStored whether the update is stored; false: it was refused
   * @returns undefined if the protocol has no such message
   */
  acknowledgement (isStored: boolean): Uint8Array | undefined

  /** The answer to a ticket that has renewed the client's access. */
  accessRenewed (canEdit: boolean): Uint8Array

  /** The message that reports another access than before; undefined if the protocol has no such message. */
  accessChanged (canEdit: boolean): Uint8Array | undefined
}
