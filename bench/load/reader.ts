import { Client, within, type Target } from './client.ts'

/** A client that downloads one document whole. */
export class Reader {
  readonly client: Client
  /** When it had everything, in milliseconds of `performance.now()`. */
  syncedAt: number | undefined
  readonly #missing: Map<number, number>
  #finish: () => void = () => {}
  readonly #finished: Promise<void>

  /** @param clocks client id → clock at which the reader has all of that client's content */
  constructor (target: Target, room: string, clocks: ReadonlyMap<number, number>) {
    this.#missing = new Map(clocks)
    this.#finished = new Promise((resolve) => { this.#finish = resolve })
    this.client = new Client(target, room)
    this.client.onMessage = (message, at) => {
      if (message.kind !== 'step2' && message.kind !== 'update') return
      message.clocks.clients.forEach((client, entry) => {
        if ((message.clocks.ends[entry] ?? 0) >= (this.#missing.get(client) ?? Infinity)) this.#missing.delete(client)
      })
      if (this.#missing.size > 0 || this.syncedAt !== undefined) return
      this.syncedAt = at
      this.#finish()
    }
  }

  /** Joins and waits for the whole document. @throws if it does not arrive in time */
  async sync (timeoutMs = 60_000): Promise<number> {
    await this.client.join(timeoutMs)
    await within(timeoutMs, this.#finished, `a reader of ${this.client.room} still missed content`)
    return this.syncedAt ?? NaN
  }
}
