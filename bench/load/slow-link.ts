import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Transform, type TransformCallback } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

const host = '127.0.0.1'
/** Bytes are forwarded in portions of so many ms: too short to be noticed. */
const portionMs = 20
/** The capacity of a router's queue, in ms of the link's rate. */
const queueMs = 200

/** Lets bytes through at a steady rate. */
class Throttle extends Transform {
  readonly #portion: number

  constructor (bytesPerSecond: number) {
    super({ highWaterMark: bytesPerSecond * queueMs / 1000 })
    this.#portion = Math.max(1, Math.floor(bytesPerSecond * portionMs / 1000))
  }

  override _transform (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pass(chunk).then(() => { done() }, done)
  }

  async #pass (chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += this.#portion) {
      const portion = chunk.subarray(at, at + this.#portion)
      this.push(portion)
      await delay(portionMs * portion.length / this.#portion)
    }
  }
}

/** A link of so many bits per second, each way, to a port of this machine. */
export async function openSlowLink (
  port: number,
  bitsPerSecond: number
): Promise<{ port: number, close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, host)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      // When one end closes, so does the other; the reason does not matter here.
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(new Throttle(bitsPerSecond / 8)).pipe(far)
    far.pipe(new Throttle(bitsPerSecond / 8)).pipe(near)
  })
  server.listen(0, host)
  await once(server, 'listening')
  return {
    // A TCP server that listens has an AddressInfo, never a path or null.
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
