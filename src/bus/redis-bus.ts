import type { Logger } from '../logging/logger.ts'
import { causeOf, OutageLog } from '../logging/outage-log.ts'
import { everyone, nodeIdBytes, type Bus, type BusListener, type NodeId } from './bus.ts'
import { parseRedisUrl, redisUrlForms, type RedisAddress } from './redis-address.ts'
import { makeRedisClient, type RedisClient } from './redis-client.ts'
import { redisFailure } from './redis-failure.ts'

export interface RedisBusOptions {
  /** See `parseRedisUrl` */
  readonly url: string
  /** Begins the names of all channels: nodes with the same prefix form one service */
  readonly prefix: string
  readonly logger: Logger
  /** How long opening can wait for Redis, in ms; default: as long as one attempt lasts */
  readonly patienceMs?: number
}

/** How long one attempt to open retries, and how long it lasts: the last answer needs a little more. */
const openTimeoutMs = 5000
const attemptMs = openTimeoutMs + 1000
const noAnswer = 'It did not answer in time'
/** After a cut this node sends to itself until it hears that: then the way out and the way back are both open. Its own channel is the last that it subscribes to. */
const probeEveryMs = 200
/** What Redis has not taken is kept up to this much; the rest is lost, and its receivers read the store. */
const maxUnsentBytes = 32 * 1024 * 1024
const closePatienceMs = 1000

/** Between two attempts to reach a Redis that was unreachable at the start, ms */
const openAgainMs = 1000

/**
 * Opens a bus over the channels of Redis (or Valkey): one of each node, and one of all. Nothing is stored there. The bus opens
 * even if Redis is unreachable or answers too late, and retries until Redis answers; messages sent before that are lost.
 * @throws Error if Redis rejects this node; `redisFailure` explains it
 */
export async function openRedisBus (options: RedisBusOptions, node: NodeId, listener: BusListener): Promise<Bus> {
  const bus = new RedisBus(options, node, listener)
  await bus.open(options.patienceMs)
  return bus
}

class RedisBus implements Bus {
  readonly node: NodeId
  readonly #sender: Buffer
  readonly #listener: BusListener
  readonly #logger: Logger
  readonly #outages: OutageLog
  readonly #prefix: string
  readonly #address: RedisAddress
  #client: RedisClient
  #startedAt = performance.now()
  #unsent = 0
  #unsentBytes = 0
  #whenSent: (() => void) | undefined
  #isOpen = false
  /** Why the attempt to open is failing */
  #reason: Error | undefined
  #refused: ((error: Error) => void) | undefined
  /** Runs while Redis is away */
  #probing: NodeJS.Timeout | undefined
  #isSubscribing = false
  #openingAgain: NodeJS.Timeout | undefined
  #isClosed = false

  constructor ({ url, prefix, logger }: RedisBusOptions, node: NodeId, listener: BusListener) {
    this.node = node
    this.#sender = Buffer.from(node, 'base64url')
    this.#listener = listener
    this.#logger = logger
    this.#outages = new OutageLog(logger, () => performance.now())
    this.#prefix = prefix
    const address = parseRedisUrl(url)
    if (address === undefined) throw new Error(`REDIS_URL must be ${redisUrlForms}`)
    this.#address = address
    this.#client = this.#makeClient()
  }

  #makeClient (): RedisClient {
    return makeRedisClient({
      address: this.#address,
      onCut: (error) => { this.#wasCut(error) },
      onTrouble: (error) => { this.#noteTrouble(error) },
      retries: (error) => this.#isOpen || (isTransient(error) && performance.now() - this.#startedAt < openTimeoutMs),
    })
  }

  async open (patienceMs = attemptMs): Promise<void> {
    const connecting = this.#connect()
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => { reject(this.#reason ?? new Error(noAnswer)) }, patienceMs)
    })
    const cause = await Promise.race([connecting, isLate]).catch((error: unknown) => error).finally(() => { clearTimeout(timer) })
    if (cause === undefined) return
    if (!isUnreachable(cause)) throw cause
    this.#logger.warn(causeOf(cause), 'Redis is unreachable; serving without the other nodes, and retrying')
    this.#keepTrying(connecting)
  }

  #keepTrying (connecting: Promise<void>): void {
    connecting.then(() => {
      this.#logger.info({}, 'Redis answers')
      this.#listener.restored()
    }, (error: unknown) => {
      if (this.#isClosed) return
      if (!isUnreachable(error)) this.#outages.report('error', 'Redis rejects this node; retrying', error, { reason: redisFailure(error) })
      this.#openingAgain = setTimeout(() => {
        this.#startedAt = performance.now()
        this.#reason = undefined
        this.#client = this.#makeClient()
        this.#keepTrying(this.#connect())
      }, openAgainMs)
      this.#openingAgain.unref()
    })
  }

  async #connect (): Promise<void> {
    // Left to itself, the library asks Sentinel for much longer, with a wrong password too.
    let timer: NodeJS.Timeout | undefined
    const isRefused = new Promise<never>((_resolve, reject) => {
      this.#refused = reject
      timer = setTimeout(() => { reject(this.#reason ?? new Error(noAnswer)) }, attemptMs)
    })
    try {
      await Promise.race([this.#client.open([this.#channel(everyone), this.#channel(this.node)], this.#received), isRefused])
    } catch (error) {
      await this.#destroy()
      // The first error, or that of a rejection, has the reason; later ones only report that the attempt was abandoned.
      throw this.#reason ?? error
    } finally {
      clearTimeout(timer)
    }
    this.#isOpen = true
  }

  send (to: NodeId | typeof everyone, message: Uint8Array): void {
    if (!this.#client.isReady || this.#unsentBytes > maxUnsentBytes) return
    const bytes = message.length
    this.#unsent++
    this.#unsentBytes += bytes
    // What is lost is noticed by whoever misses it.
    const settle = (): void => {
      this.#unsentBytes -= bytes
      if (--this.#unsent === 0) this.#whenSent?.()
    }
    this.#client.publish(this.#channel(to), Buffer.concat([this.#sender, message])).then(settle, settle)
  }

  async close (patienceMs = closePatienceMs): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#probing)
    clearTimeout(this.#openingAgain)
    if (!this.#client.isReady) return await this.#destroy()
    const isOver = new Promise<void>((resolve) => { setTimeout(resolve, patienceMs).unref() })
    await Promise.race([this.#allSent(), isOver])
    await Promise.race([this.#client.close().catch(() => {}), isOver])
    await this.#destroy()
  }

  /** Some clients look for the right server first, and would be closed before they send. */
  #allSent (): Promise<void> {
    return new Promise((resolve) => {
      if (this.#unsent === 0) resolve()
      else this.#whenSent = resolve
    })
  }

  readonly #received = (payload: Buffer): void => {
    if (payload.length < nodeIdBytes) return
    const isProbe = payload.length === nodeIdBytes && payload.equals(this.#sender)
    if (isProbe && this.#probing !== undefined) this.#isBack()
    if (isProbe) return
    this.#listener.received(payload.toString('base64url', 0, nodeIdBytes), payload.subarray(nodeIdBytes))
  }

  #channel (to: NodeId | typeof everyone): string {
    return to === everyone ? this.#prefix : `${this.#prefix}:${to}`
  }

  #noteTrouble (error: Error): void {
    // Sentinel's client counts its own start as a change of master, and reports that before it reports a wrong
    // password.
    if (this.#reason === undefined || isRefusal(error)) this.#reason = error
    if (!this.#isOpen && isRefusal(error)) this.#refused?.(error)
  }

  #wasCut (error: Error): void {
    this.#noteTrouble(error)
    if (this.#probing !== undefined || !this.#isOpen) return
    this.#outages.report('warn', 'Redis is unreachable; the nodes read the store to see each other\'s updates', error)
    this.#probing = setInterval(() => { this.#probe() }, probeEveryMs)
  }

  #probe (): void {
    this.send(this.node, new Uint8Array(0))
    if (this.#isSubscribing) return
    this.#isSubscribing = true
    const settle = (): void => { this.#isSubscribing = false }
    this.#client.subscribeAgain().then(settle, settle)
  }

  #isBack (): void {
    clearInterval(this.#probing)
    this.#probing = undefined
    this.#logger.info({}, 'Redis is back')
    this.#listener.restored()
  }

  async #destroy (): Promise<void> {
    try {
      await this.#client.destroy()
    } catch (error) {
      this.#logger.debug(causeOf(error), 'The connection to Redis had ended before')
    }
  }
}

const isRefusal = ({ message }: Error): boolean => /WRONGPASS|NOAUTH|NOPERM/.test(message)

/** Whether it may be better in a moment: Redis starts, or is not there yet. A wrong password is not. */
const isTransient = (error: Error): boolean => 'code' in error || /closed|timeout|LOADING/i.test(error.message)

/** Whether nobody answers at the address, which says nothing against the settings. */
function isUnreachable (cause: unknown): boolean {
  if (!(cause instanceof Error)) return false
  const { code = '', message } = cause as NodeJS.ErrnoException
  return /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)$/.test(code) ||
    /did not answer|timeout|closed|LOADING|root nodes/i.test(message)
}
