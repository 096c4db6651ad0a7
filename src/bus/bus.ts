import { randomBytes } from 'node:crypto'

/**
 * Carries messages between the nodes of one service. It can lose messages at any time, but a message arrives unchanged,
 * and messages from one node to another arrive in order. Every adapter passes the contract suite in
 * `test/bus/contract.ts`.
 */
export interface Bus {
  /** This node's own address. */
  readonly node: NodeId

  /**
   * Sends to one node, or to all nodes including this one, which shows that both directions work. The caller can reuse
   * the bytes once this returns. Never throws; a message that cannot be sent now is lost.
   */
  send (to: NodeId | typeof everyone, message: Uint8Array): void

  /** Releases all resources, once sent messages have left this process or `patienceMs` have passed. */
  close (patienceMs?: number): Promise<void>
}

/** Receives the messages of a node. */
export interface BusListener {
  /** Called for each message, never during a call of `send`. The listener can keep the bytes. */
  received (from: NodeId, message: Uint8Array): void
  /** The connection works again after an interruption: messages may be lost. Not called for the first connection. */
  restored (): void
}

/** Opens a bus for a node. Resolves once the node can send and be reached. */
export type OpenBus = (node: NodeId, listener: BusListener) => Promise<Bus>

/** The name of a process while it runs: 48 random bits as eight characters of base64url. */
export type NodeId = string

/** The bytes of a node's id. */
export const nodeIdBytes = 6

/** The address of all nodes. */
export const everyone = Symbol('every node')

/** Makes a new node id. */
export const newNodeId = (): NodeId => randomBytes(nodeIdBytes).toString('base64url')
