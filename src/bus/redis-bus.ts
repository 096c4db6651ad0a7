import type { Logger } from '../logging/logger.ts'
import { causeOf, OutageLog } from '../logging/outage-log.ts'
import { within } from '../wait/within.ts'
import { everyone, nodeIdBytes, type Bus, type BusListener, type NodeId } from './bus.ts'
import { parseRedisUrl, redisUrlForms, type RedisAddress } from './redis-address.ts'
import { makeRedisClient, type RedisClient } from './redis-client.ts'
import { isRejection, isTransient, isUnreachable, NoAnswer } from './redis-errors.ts'
import { redisFailure } from './redis-failure.ts'

/** The options of a bus over Redis. */
export interface RedisBusOptions {
  /** See `parseRedisUrl`. */
  readonly url: string
  /** The prefix of all channel names: nodes with the same prefix form one service. */
  readonly prefix: string
  readonly logger: Logger
  /** ms that opening can wait for Redis; default: the duration of one attempt. */
  readonly patienceMs?: number
}

/** ms in which one attempt to open retries. */
const openTimeoutMs = 5000
/** ms that one attempt lasts: the last answer needs a little more time. */
const attemptMs = openTimeoutMs + 1000
/**
 * ms between the messages that a node sends to itself after a cut, until it receives one: then both directions work. It
 * subscribes to its own channel last.
 */
const probeEveryMs = 200
/** Bytes of messages that wait for Redis; further messages are lost, and their receivers read the store. */
const maxUnsentBytes = 32 * 1024 * 1024
/** ms in which closing sends what is left. */
const closePatienceMs = 1000

/** ms between two attempts to reach a Redis that was unreachable at the start. */
const openAgainMs = 1000

/**
 * Opens a bus over the channels of Redis (or Valkey): one for each node, and one for all. Redis stores nothing. The bus
 * opens even if Redis is unreachable or answers too late, and retries; messages sent before Redis answers are lost.
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
  /** Why the attempt to open is failing. */
  #reason: Error | undefined
  #refused: ((error: Error) => void) | undefined
  /** Runs while Redis is unreachable. */
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
    const cause = await within(connecting, patienceMs, this.#giveUp).catch((error: unknown) => error)
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
    const refused = new Promise<never>((_resolve, reject) => { this.#refused = reject })
    try {
      const opening = this.#client.open([this.#channel(everyone), this.#channel(this.node)], this.#received)
      // The library itself would ask Sentinel for much longer, even with a wrong password.
      await within(Promise.race([opening, refused]), attemptMs, this.#giveUp)
    } catch (error) {
      await this.#destroy()
      // The first error, or that of a rejection, has the reason; later ones only report that the attempt was abandoned.
      throw this.#reason ?? error
    }
    this.#isOpen = true
  }

  readonly #giveUp = (): never => { throw this.#reason ?? new NoAnswer() }

  send (to: NodeId | typeof everyone, message: Uint8Array): void {
    if (!this.#client.isReady || this.#unsentBytes > maxUnsentBytes) return
    const bytes = message.length
    this.#unsent++
    this.#unsentBytes += bytes
    // The receiver of a lost message notices the gap.
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

  /** Some clients look for the right server first, and would close before they send. */
  #allSent (): Promise<void> {
    return new Promise((resolve) => {
      if (this.#unsent === 0) resolve()
      else this.#whenSent = resolve
    })
  }

  readonly #received = (payload: Buffer): void => {
    if (payload.length < nodeIdBytes) return
    const isProbe = payload.length === nodeIdBytes && payload.equals(this.#sender)
    if (isProbe && this.#probing !== undefined) this.#restore()
    if (isProbe) return
    this.#listener.received(payload.toString('base64url', 0, nodeIdBytes), payload.subarray(nodeIdBytes))
  }

  #channel (to: NodeId | typeof everyone): string {
    return to === everyone ? this.#prefix : `${this.#prefix}:${to}`
  }

  #noteTrouble (error: Error): void {
    // Sentinel's client reports its own start as a change of master, before it reports a wrong password.
    if (this.#reason === undefined || isRejection(error)) this.#reason = error
    if (!this.#isOpen && isRejection(error)) this.#refused?.(error)
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

  #restore (): void {
    clearInterval(this.#probing)
    this.#probing = undefined
    this.#logger.info({}, 'Redis is reachable again')
    this.#listener.restored()
  }

  async #destroy (): Promise<void> {
    try {
      await this.#client.destroy()
    } catch (error) {
      this.#logger.debug(causeOf(error), 'The connection to Redis was closed already')
    }
  }
}
