import type { DecodeCache } from './decode-cache.ts'
import type { Decoded, Wire } from './wire.ts'
import { RawClient } from '../../test/clients/raw-client.ts'

/** Where clients connect to. */
export interface Target {
  port: number
  wire: Wire
  decode: DecodeCache
}

/** A client of one room without a document: it speaks just enough of the protocol for a server. */
export class Client {
  readonly room: string
  /**
   * Called for each message except those of the initial sync; `at` is when its last byte was read, in milliseconds of
   * `performance.now()`.
   */
  onMessage: (message: Decoded, at: number) => void = () => {}
  readonly #target: Target
  #socket: RawClient | undefined

  constructor (target: Target, room: string) {
    this.#target = target
    this.room = room
  }

  /** Why the connection ended, unless the benchmark ended it. */
  get closeCode (): number | undefined {
    return this.#socket?.closeCode
  }

  /**
   * Opens the socket, starts the initial sync, and waits for the server's first step 2 if there is one.
   * @throws if the server refuses, or has not answered after `timeoutMs`
   */
  async join (timeoutMs = 30_000): Promise<void> {
    const { port, wire, decode } = this.#target
    let synced = () => {}
    const answered = new Promise<void>((resolve) => { synced = resolve })
    this.#socket = await RawClient.open(port, wire.path(this.room), wire.headers, (frame) => {
      const at = performance.now()
      const message = decode.decode(frame)
      if (message.kind === 'step1') this.#socket?.send(wire.emptyStep2(this.room))
      if (message.kind === 'step2') synced()
      this.onMessage(message, at)
    })
    for (const message of wire.greet(this.room)) this.#socket.send(message)
    if (wire.syncs) await within(timeoutMs, answered, `room ${this.room} was not synced`)
  }

  sendUpdate (update: Uint8Array): void {
    this.#socket?.send(this.#target.wire.update(this.room, update))
  }

  sendAwareness (update: Uint8Array): void {
    this.#socket?.send(this.#target.wire.awareness(this.room, update))
  }

  leave (): void {
    this.#socket?.end()
  }
}

/** Waits for a promise for a bounded time. @throws with the name of what did not happen */
export async function within<T> (timeoutMs: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`After ${timeoutMs / 1000} s ${what}.`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Lets clients join a few at a time, so that the handshakes of thousands do not overflow a listen queue. */
export async function joinAll (clients: readonly Client[], atOnce = 100): Promise<void> {
  for (let at = 0; at < clients.length; at += atOnce) {
    await Promise.all(clients.slice(at, at + atOnce).map(async (client) => await client.join()))
  }
}
