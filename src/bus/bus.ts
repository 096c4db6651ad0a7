import { randomBytes } from 'node:crypto'

/**
 * Carries messages between the nodes of one service. It may lose anything at any time, but what arrives is what was sent,
 * and what one node sends to another arrives in the order in which it was sent. Every adapter passes the contract suite in
 * `test/bus/contract.ts`.
 */
export interface Bus {
  /** This node's own address */
  readonly node: NodeId

  /**
   * Sends to one node, or to all of them: to this one too, which shows that the way there and back is open. The bytes may
   * be changed by the caller once this returns. Never throws; what cannot be sent now is lost.
   */
  send (to: NodeId | typeof everyone, message: Uint8Array): void

  /** Lets go of all resources, once what was sent has left this process or `patienceMs` have passed. */
  close (patienceMs?: number): Promise<void>
}

export interface BusListener {
  /** Called for each message, never within a call of `send`. The bytes may be kept. */
  received (from: NodeId, message: Uint8Array): void
  /** The way was interrupted and is open again: anything may have been lost meanwhile. Not called for the first time it opens. */
  restored (): void
}

/** Opens a bus for a node. Resolves when it can be sent to and reached. */
export type OpenBus = (node: NodeId, listener: BusListener) => Promise<Bus>

/** Names a process for as long as it runs: 48 random bits as eight characters of base64url. */
export type NodeId = string

/** How many bytes a node's id is. */
export const nodeIdBytes = 6

export const everyone = Symbol('every node')

export const newNodeId = (): NodeId => randomBytes(nodeIdBytes).toString('base64url')
