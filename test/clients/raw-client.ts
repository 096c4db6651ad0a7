import { connect, type Socket } from 'node:net'
import { FrameBuffer } from './frame-buffer.ts'
import type { Owner } from './owner.ts'

/** One buffer that every socket reads into: a callback uses or copies its bytes before it returns. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** Any 16 bytes: this client does not check the server's answer to them. */
const handshakeKey = 'eS1wcm92aWRlciBiZW5jaA=='
/** Frame types of RFC 6455. */
export const opcodes = { continuation: 0, binary: 2, close: 8, ping: 9, pong: 10 } as const
const longestHeader = 14

/** The header of a frame. Its mask is zeros, which leave the payload as it is. */
export function header (opcode: number, length: number, isLast = true): Buffer {
  // Zeroed: the last four bytes are the mask.
  const head = Buffer.alloc(headLength(length))
  writeHeader(head, opcode, length, isLast)
  return head
}

/** A whole frame. */
export function frame (opcode: number, payload: Uint8Array, isLast = true): Buffer {
  const { length } = payload
  const head = headLength(length)
  const bytes = Buffer.alloc(head + length)
  writeHeader(bytes, opcode, length, isLast)
  bytes.set(payload, head)
  return bytes
}

const headLength = (length: number): number => length < 126 ? 6 : length < 65536 ? 8 : 14

function writeHeader (bytes: Buffer, opcode: number, length: number, isLast: boolean): void {
  bytes[0] = (isLast ? 0x80 : 0) | opcode
  bytes[1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127)
  if (length >= 65536) bytes.writeUIntBE(length, 4, 6)
  else if (length >= 126) bytes.writeUInt16BE(length, 2)
}

/**
 * A WebSocket client on a TCP socket that does as little as possible: it does not copy frames that arrive whole, and
 * checks nothing. A library would be the bottleneck of a benchmark long before the server is; tests can send any bytes
 * in any pieces.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5
 */
export class RawClient {
  /** Close code once the server has closed; 1006 if the connection ended without one. */
  closeCode: number | undefined
  /** Resolves with `closeCode` when the connection has ended */
  readonly closed: Promise<number>
  readonly socket: Socket
  readonly #onFrame: (frame: Buffer) => void
  /** Beginning of a frame whose header has not arrived in full. */
  #rest: Buffer | undefined
  #frame: FrameBuffer | undefined
  #opcode = 0
  #opened = false
  #ending = false
  readonly #opening: { resolve: () => void, reject: (reason: Error) => void }

  /**
   * Opens a socket to a port of the loopback interface.
   * @param onFrame called for each binary frame; a short frame's bytes are valid only during the call
   * @throws if the server refuses the handshake; the message contains its status line
   */
  static async open (
    port: number,
    path: string,
    headers: Record<string, string>,
    onFrame: (frame: Buffer) => void
  ): Promise<RawClient> {
    return await new Promise((resolve, reject) => {
      const socket: RawClient = new RawClient(port, path, headers, onFrame, { resolve: () => resolve(socket), reject })
    })
  }

  private constructor (port: number, path: string, headers: Record<string, string>, onFrame: (frame: Buffer) => void,
    opening: { resolve: () => void, reject: (reason: Error) => void }) {
    this.#onFrame = onFrame
    this.#opening = opening
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#read(readBuffer.subarray(0, length))
          return true
        },
      },
    })
    this.closed = new Promise((resolve) => { this.socket.once('close', () => { resolve(this.closeCode ?? 1006) }) })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${handshakeKey}\r\nSec-WebSocket-Version: 13\r\n${lines}\r\n`)
    const end = (reason: string) => {
      if (!this.#ending) this.closeCode ??= 1006
      opening.reject(new Error(`The connection ended before it was open: ${reason}.`))
    }
    this.socket.on('error', (error) => end(error.message))
    this.socket.on('close', () => end('closed'))
  }

  /** Sends one binary frame. */
  send (payload: Uint8Array): void {
    this.socket.write(frame(opcodes.binary, payload))
  }

  /** Ends the connection at once. */
  end (): void {
    this.#ending = true
    this.socket.destroy()
  }

  /** Sends bytes unchanged. Resolves when the kernel has taken them, or the connection has ended. */
  async write (...parts: Uint8Array[]): Promise<void> {
    for (const part of parts) await new Promise<void>((resolve) => { this.socket.write(part, () => { resolve() }) })
  }

  #read (chunk: Buffer): void {
    let at = 0
    if (this.#rest !== undefined) {
      chunk = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    if (!this.#opened) {
      at = this.#readHandshake(chunk)
      if (at === 0) return
    }
    while (at < chunk.length && !this.#ending) {
      at = this.#frame === undefined ? this.#readHeader(chunk, at) : this.#readPayload(chunk, at)
    }
  }

  /** Returns where frames begin, or 0 if the answer is incomplete or a refusal. */
  #readHandshake (chunk: Buffer): number {
    const end = chunk.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#rest = Buffer.from(chunk)
      return 0
    }
    const status = chunk.toString('latin1', 0, chunk.indexOf('\r\n'))
    if (!status.startsWith('HTTP/1.1 101')) {
      this.#opening.reject(new Error(`The handshake was refused: ${status}`))
      this.end()
      return 0
    }
    this.#opened = true
    this.#opening.resolve()
    return end + 4
  }

  /** Reads one frame's header; delivers the frame if it is whole in the chunk. Returns where it stopped. */
  #readHeader (chunk: Buffer, start: number): number {
    const available = chunk.length - start
    const short = available < 2 ? 0 : chunk.readUInt8(start + 1)
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    if (available < head) {
      if (available >= longestHeader) throw new Error('A frame header cannot be longer than 14 bytes.')
      this.#rest = Buffer.from(chunk.subarray(start))
      return chunk.length
    }
    const first = chunk.readUInt8(start)
    if ((first & 0xf0) !== 0x80 || short > 127) throw new Error('The benchmark reads only whole, unmasked frames without extensions.')
    const length = short < 126 ? short : short === 126 ? chunk.readUInt16BE(start + 2) : chunk.readUIntBE(start + 4, 6)
    this.#opcode = first & 0x0f
    const from = start + head
    if (from + length <= chunk.length) {
      this.#deliver(chunk.subarray(from, from + length))
      return from + length
    }
    this.#frame = new FrameBuffer(length)
    return this.#readPayload(chunk, from)
  }

  #readPayload (chunk: Buffer, start: number): number {
    const frame = this.#frame
    if (frame === undefined) return start
    const end = Math.min(chunk.length, start + frame.missing)
    frame.push(chunk.subarray(start, end))
    if (frame.missing === 0) {
      this.#frame = undefined
      this.#deliver(frame.bytes)
    }
    return end
  }

  #deliver (payload: Buffer): void {
    if (this.#opcode === opcodes.binary) this.#onFrame(payload)
    else if (this.#opcode === opcodes.ping) this.socket.write(frame(opcodes.pong, payload))
    else if (this.#opcode === opcodes.close) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      // Instead of an answer, which the server would wait for.
      this.socket.destroy()
    } else if (this.#opcode !== opcodes.pong) throw new Error(`The server sent a frame of type ${this.#opcode}.`)
  }
}

/** Opens a raw client; it ends with the test. */
export async function openRaw (
  t: Owner,
  port: number,
  path: string,
  headers: Record<string, string> = {}
): Promise<RawClient> {
  const client = await RawClient.open(port, path, headers, () => {})
  t.teardown(() => { client.end() })
  return client
}
