import { closes } from '../protocol/close-codes.ts'

/** Codes that sockets end with and that are not ours (RFC 6455, section 7.4.1). */
const standardCodes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012]
const countedCodes = new Set([...standardCodes, ...Object.values(closes).map(({ code }) => code)])

/** What has come of the sockets of this process; metrics read it. Its names are few, whatever clients send. */
export class SocketFigures {
  /** Connections that are in a document, by protocol */
  readonly connections = { 'y-websocket': 0, hocuspocus: 0 }
  /** Sockets that have ended, by close code; 0 = any other */
  readonly closes = new Map<number, number>([...countedCodes, 0].map((code) => [code, 0]))

  /** A socket has ended. */
  closed (code: number): void {
    const counted = countedCodes.has(code) ? code : 0
    this.closes.set(counted, (this.closes.get(counted) ?? 0) + 1)
  }
}
