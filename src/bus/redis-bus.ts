import { createClient } from 'redis'
import type { Logger } from '../logger.ts'
import { everyone, nodeIdBytes, type Bus, type BusListener, type NodeId } from './bus.ts'

export interface RedisBusOptions {
  /** `redis[s]://[[user]:password@]host[:port]` */
  readonly url: string
  /** Begins the names of all channels: nodes with the same prefix form one service */
  readonly prefix: string
  readonly logger: Logger
}

/** How long opening may take: a wrong address is told at start, by one line. */
const openTimeoutMs = 5000
/** A connection is asked for a sign of life this often, and taken for dead after the longer time without any. */
const pingEveryMs = 2000
const silenceMs = 6000
const connectTimeoutMs = 3000
const lastRetryMs = 1000
/** What Redis has not taken is kept up to this much; the rest is lost, and its receivers read the store. */
const maxUnsentBytes = 32 * 1024 * 1024
const closePatienceMs = 1000

/**
 * Opens a bus over the channels of Redis (or Valkey): one of each node, and one of all. Nothing is stored there.
 * @throws Error where it cannot be reached or does not let us in
 */
export async function openRedisBus (options: RedisBusOptions, node: NodeId, listener: BusListener): Promise<Bus> {
  const bus = new RedisBus(options, node, listener)
  await bus.open()
  return bus
}

class RedisBus implements Bus {
  readonly node: NodeId
  readonly #sender: Buffer
  readonly #listener: BusListener
  readonly #logger: Logger
  readonly #prefix: string
  readonly #client: ReturnType<typeof connect>
  #unsentBytes = 0
  #isOpen = false
  #isAway = false

  constructor ({ url, prefix, logger }: RedisBusOptions, node: NodeId, listener: BusListener) {
    this.node = node
    this.#sender = Buffer.from(node, 'base64url')
    this.#listener = listener
    this.#logger = logger
    this.#prefix = prefix
    this.#client = connect(url, () => this.#isOpen)
  }

  async open (): Promise<void> {
    this.#client.on('error', (error: Error) => { this.#wasCut(error) })
    this.#client.on('ready', () => { this.#isReady() })
    try {
      await this.#client.connect()
      await this.#client.subscribe([this.#channel(this.node), this.#channel(everyone)], this.#received, true)
    } catch (error) {
      this.#client.destroy()
      // Of the ways in which a connection can fail, some have an empty message and only a code.
      const { message, code } = error as NodeJS.ErrnoException
      throw new Error(`REDIS_URL cannot be used: ${message || code}`, { cause: error })
    }
    this.#isOpen = true
  }

  send (to: NodeId | typeof everyone, message: Uint8Array): void {
    if (!this.#client.isReady || this.#unsentBytes > maxUnsentBytes) return
    const bytes = message.length
    this.#unsentBytes += bytes
    // What is lost is noticed by whoever misses it.
    const settle = (): void => { this.#unsentBytes -= bytes }
    this.#client.publish(this.#channel(to), Buffer.concat([this.#sender, message])).then(settle, settle)
  }

  async close (patienceMs = closePatienceMs): Promise<void> {
    if (!this.#client.isReady) return this.#client.destroy()
    const timer = setTimeout(() => { this.#client.destroy() }, patienceMs)
    await this.#client.close().catch(() => {})
    clearTimeout(timer)
  }

  readonly #received = (payload: Buffer): void => {
    if (payload.length < nodeIdBytes) return
    this.#listener.received(payload.toString('base64url', 0, nodeIdBytes), payload.subarray(nodeIdBytes))
  }

  #channel (to: NodeId | typeof everyone): string {
    return to === everyone ? this.#prefix : `${this.#prefix}:${to}`
  }

  #wasCut (error: Error): void {
    if (this.#isAway || !this.#isOpen) return
    this.#isAway = true
    this.#logger.warn({ err: error }, 'Redis is away; the nodes read the store to see what the others do')
  }

  #isReady (): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#logger.info({}, 'Redis is back')
    this.#listener.restored()
  }
}

/** One connection both publishes and hears (RESP3), so a cut takes both. */
function connect (url: string, isOpen: () => boolean) {
  const startedAt = performance.now()
  return createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: pingEveryMs,
    socket: {
      connectTimeout: connectTimeoutMs,
      socketTimeout: silenceMs,
      reconnectStrategy: (retries, cause) => {
        if (!isOpen() && (performance.now() - startedAt > openTimeoutMs || !isTransient(cause))) return cause
        return Math.min(lastRetryMs, 50 * 2 ** retries)
      },
    },
  })
}

/** Whether it may be better in a moment: Redis starts, or is not there yet. A wrong password is not. */
const isTransient = (error: Error): boolean => 'code' in error || /closed|timeout|LOADING/i.test(error.message)
