import { closes, type CloseReason } from '../protocol/close-codes.ts'

/** Codes that sockets end with and that are not ours (RFC 6455, section 7.4.1). */
const standardCodes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012]
const countedCodes = new Set([...standardCodes, ...Object.values(closes).map(({ code }) => code)])

/** Closes that refuse nobody: the service stops, or wants clients to be authorised anew. */
const harmless: ReadonlySet<string> = new Set(['goingAway', 'restart', 'reset'])
/** Several rules share a code; those of a verdict have reasons of their own, and the first rule of their code. */
const rules = Object.entries(closes).filter(([name]) => !harmless.has(name))

/** What has come of the sockets of this process; metrics read it. Its names are few, whatever clients send. */
export class SocketFigures {
  /** Connections that are in a document, by protocol */
  readonly connections = { 'y-websocket': 0, hocuspocus: 0 }
  /** Sockets that have ended, by close code; 0 = any other */
  readonly closes = new Map<number, number>([...countedCodes, 0].map((code) => [code, 0]))
  /** Sockets and documents that were refused, by the key of `closes` */
  readonly refusals = new Map<string, number>(rules.map(([name]) => [name, 0]))

  /** A socket has ended. */
  closed (code: number): void {
    add(this.closes, countedCodes.has(code) ? code : 0)
  }

  /** The service closes a socket, or refuses a document on one. */
  refused ({ code, reason }: CloseReason): void {
    const ofCode = rules.filter(([, rule]) => rule.code === code)
    const [name] = ofCode.find(([, rule]) => rule.reason === reason) ?? ofCode[0] ?? []
    if (name !== undefined) add(this.refusals, name)
  }
}

function add<Key> (counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
