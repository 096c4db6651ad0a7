import { closes } from '../protocol/close-codes.ts'
import type { WireProtocol } from '../sync/wire-protocol.ts'

type ProtocolName = WireProtocol['name']

/** Codes that sockets end with and that are not ours (RFC 6455, section 7.4.1). */
const standardCodes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012]
const countedCodes = new Set([...standardCodes, ...Object.values(closes).map(({ code }) => code)])

/** Counts this process's connections and closed sockets for the metrics, under few labels whatever clients send. */
export class SocketFigures {
  readonly #connections = new Map<ProtocolName, number>([['y-websocket', 0], ['hocuspocus', 0]])
  readonly #closes = new Map<number, number>([...countedCodes, 0].map((code) => [code, 0]))

  /** Connections that are in a document, by protocol */
  get connections (): ReadonlyMap<ProtocolName, number> { return this.#connections }
  /** Sockets that have closed, by close code; 0 = any other */
  get closes (): ReadonlyMap<number, number> { return this.#closes }

  /** A connection has opened a document. */
  opened (protocol: ProtocolName): void { add(this.#connections, protocol, 1) }

  /** A connection has left its document. */
  left (protocol: ProtocolName): void { add(this.#connections, protocol, -1) }

  /** A socket has closed. */
  closed (code: number): void { add(this.#closes, countedCodes.has(code) ? code : 0, 1) }
}

function add<Label> (counts: Map<Label, number>, label: Label, count: number): void {
  counts.set(label, (counts.get(label) ?? 0) + count)
}
