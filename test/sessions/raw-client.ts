import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** The part of a tap test that is used here. */
interface Test { teardown (undo: () => unknown): unknown }

export const opcodes = { continuation: 0, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** The header of a frame with a mask of zeros, so that the payload follows as it is. */
export function header (opcode: number, length: number, isLast = true): Buffer {
  const head = Buffer.alloc(14)
  head[0] = (isLast ? 0x80 : 0) | opcode
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  if (length >= 65_536) return head
  // Control frames must use the short form.
  if (length < 126) return Buffer.from([head[0], 0x80 | length, 0, 0, 0, 0])
  return Buffer.from([head[0], 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0])
}

/** A whole frame. */
export const frame = (opcode: number, payload: Uint8Array, isLast = true): Buffer => Buffer.concat([header(opcode, payload.length, isLast), payload])

/** A WebSocket client that sends its bytes as the test wants them, in any pieces. */
export class RawClient {
  /** The code of the server's close frame, once the connection has ended; 1006 where none came */
  readonly closed: Promise<number>
  readonly socket: Socket

  constructor (socket: Socket) {
    this.socket = socket
    let heard = Buffer.alloc(0)
    socket.on('data', (data: Buffer) => {
      heard = Buffer.concat([heard, data])
      if (closeCode(heard) !== 1006) socket.destroy() // instead of an answer, which the server waits seconds for
    })
    socket.on('error', () => {}) // the server may cut it off while it writes
    this.closed = once(socket, 'close').then(() => closeCode(heard))
  }

  /** Resolves when the kernel has taken it, or the connection has ended. */
  async send (...parts: Uint8Array[]): Promise<void> {
    for (const part of parts) await new Promise<void>((resolve) => { this.socket.write(part, () => { resolve() }) })
  }
}

/** A raw client, past its handshake; it ends with the test. */
export async function openRaw (t: Test, port: number, path: string, headers: Record<string, string> = {}): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  t.teardown(() => { socket.destroy() })
  const lines = { Host: 'x', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'MDEyMzQ1Njc4OWFiY2RlZg==', 'Sec-WebSocket-Version': '13', ...headers }
  socket.write(`GET ${path} HTTP/1.1\r\n${Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  let head = ''
  while (!head.includes('\r\n\r\n')) head += String((await once(socket, 'data'))[0])
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(head.slice(0, 40))
  const client = new RawClient(socket)
  const rest = head.slice(head.indexOf('\r\n\r\n') + 4)
  if (rest !== '') client.socket.unshift(Buffer.from(rest, 'latin1'))
  return client
}

/** Goes through the server's frames, which have no mask, to the close frame. */
function closeCode (bytes: Buffer): number {
  for (let at = 0; at + 10 <= bytes.length;) {
    const short = bytes[at + 1]! & 127
    const headLength = short === 126 ? 4 : short === 127 ? 10 : 2
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    if ((bytes[at]! & 15) === opcodes.close && at + headLength + 2 <= bytes.length) return bytes.readUInt16BE(at + headLength)
    at += headLength + length
  }
  return 1006
}
