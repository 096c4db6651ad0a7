import { createClient, createCluster, createSentinel } from 'redis'
import type { RedisAddress } from './redis-address.ts'

/** What a bus needs of Redis, however many servers that is. */
export interface RedisClient {
  /** Whether something may be published now. */
  readonly isReady: boolean
  /** Connects and subscribes. @throws Error where that cannot be done */
  open (channels: readonly string[], received: (message: Buffer) => void): Promise<void>
  /** Repairs what of that was lost; where nothing was, it does nothing. @throws Error where that cannot be done now */
  subscribeAgain (): Promise<void>
  publish (channel: string, message: Buffer): Promise<unknown>
  /** Lets go once what was published has been answered. */
  close (): Promise<unknown>
  /** Lets go at once. @throws Error where it had never begun, or has ended before */
  destroy (): Promise<void>
}

export interface RedisClientOptions {
  readonly address: RedisAddress
  /** Something was cut, or another server has taken over: what was sent meanwhile may be lost */
  onCut (error: Error): void
  /** Something failed that messages do not pass through: it matters while the bus opens */
  onTrouble (error: Error): void
  /** Whether a connection that is lost is to be made again; else `open` fails */
  retries (error: Error): boolean
}

/** A connection is asked for a sign of life this often, and taken for dead after the longer time without any. */
const pingEveryMs = 2000
const silenceMs = 6000
const connectTimeoutMs = 3000
const lastRetryMs = 1000
/**
 * The Sentinels are asked one after the other, and nothing is published meanwhile: those that accept and do not answer are
 * given up sooner than a server. All of them must have had their turn before the next scan, or the library never ends one.
 */
const sentinelSilenceMs = 2000
const sentinelPingEveryMs = 800
/** How often Sentinel is asked who the master is, in case that its own message about a change was lost. */
const scanEveryMs = 10_000

/** What is the same for each connection. */
const connection = (retries: RedisClientOptions['retries'], tls: boolean | undefined, signs = { pingEveryMs, silenceMs }) => ({
  disableOfflineQueue: true,
  pingInterval: signs.pingEveryMs,
  socket: {
    ...(tls === true ? { tls } : {}),
    connectTimeout: connectTimeoutMs,
    socketTimeout: signs.silenceMs,
    reconnectStrategy: (tries: number, cause: Error) => retries(cause) ? Math.min(lastRetryMs, 50 * 2 ** tries) : cause,
  },
})

/** The library's own limit of 5 s takes a timer and an exception for each message; here a silent connection ends as a whole. */
const commandOptions = { timeout: 0 }

export function makeRedisClient (options: RedisClientOptions): RedisClient {
  switch (options.address.kind) {
    case 'server': return forServer(options.address, options)
    case 'sentinel': return forSentinel(options.address, options)
    case 'cluster': return forCluster(options.address, options)
  }
}

type Address<Kind extends RedisAddress['kind']> = Extract<RedisAddress, { kind: Kind }>

/** One connection both publishes and hears (RESP3), so a cut takes both. */
function forServer ({ url }: Address<'server'>, { onCut, retries }: RedisClientOptions): RedisClient {
  const client = createClient({ url, commandOptions, ...connection(retries, undefined) })
  client.on('error', onCut)
  return through(client)
}

function forSentinel ({ master, nodes, login, sentinelLogin, tls }: Address<'sentinel'>, { onCut, onTrouble, retries }: RedisClientOptions): RedisClient {
  // Only connections to the servers ask this. The library's errors do not tell those from a Sentinel's, and one dead Sentinel makes one at each scan.
  const retriesAfterCut = (error: Error): boolean => {
    onCut(error)
    return retries(error)
  }
  const client = createSentinel({
    name: master,
    sentinelRootNodes: [...nodes],
    nodeClientOptions: { ...login, ...connection(retriesAfterCut, tls) },
    sentinelClientOptions: { ...sentinelLogin, ...connection(retries, tls, { pingEveryMs: sentinelPingEveryMs, silenceMs: sentinelSilenceMs }) },
    commandOptions,
    scanInterval: scanEveryMs,
    passthroughClientErrorEvents: true,
    // Else messages could overtake each other while the library passes its one connection around.
    reserveClient: true,
  })
  // Of a Sentinel that does not answer the library tells twice: first in a string, which would hide the reason.
  client.on('error', (error: unknown) => { if (error instanceof Error) onTrouble(error) })
  client.on('topology-change', ({ type }: { type: string }) => { if (type === 'MASTER_CHANGE') onCut(new Error('Another server has become the master')) })
  return through(client)
}

/** What the library's clients of one server and of Sentinel have in common. */
interface PubSubClient {
  readonly isReady: boolean
  connect (): Promise<unknown>
  subscribe (channels: string[], received: (message: Buffer) => void, inBytes: true): Promise<unknown>
  publish (channel: string, message: Buffer): Promise<unknown>
  close (): Promise<unknown>
  destroy (): unknown
}

const through = (client: PubSubClient): RedisClient => ({
  get isReady () { return client.isReady },
  open: async (channels, received) => {
    await client.connect()
    await client.subscribe([...channels], received, true)
  },
  // One connection has all of them, and the library subscribes before it calls that ready.
  subscribeAgain: async () => {},
  publish: (channel, message) => client.publish(channel, message),
  close: () => client.close(),
  destroy: async () => { await client.destroy() },
})

/** What the library's client of Redis Cluster emits when a server leaves that somebody has subscribed at. */
const channelsLost = '__resubscribeListeners'

/** Sharded channels (Redis 7): each message goes to the one server that the service's channels belong to, instead of all. */
function forCluster ({ nodes, login, tls }: Address<'cluster'>, { onCut, onTrouble, retries }: RedisClientOptions): RedisClient {
  const client = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { ...login, ...connection(retries, tls) },
    commandOptions,
    minimizeConnections: true,
  })
  // The braces put all channels of a service on one server: else a node's farewell could overtake its last batch.
  const tagged = (channel: string): string => channel.replace(/^[^:]+/, '{$&}')
  let slot = -1
  let holder: string | undefined
  /** The library follows the channels to another server without a word; what was said meanwhile may be lost. */
  const noteHolder = (): void => {
    const now = client.slots[slot]?.master.address
    if (now === undefined || now === holder) return
    if (holder !== undefined) onCut(new Error('Another server has the channels'))
    holder = now
  }
  let subscribe = async (): Promise<void> => {}
  /** In place of the library's own listener, which subscribes elsewhere too but catches nothing: an unhandled rejection ends the process. */
  const followChannels = (): void => {
    // The way is closed on purpose.
    if (!client.isOpen) return
    onCut(new Error('The server that had the channels has them no longer'))
    subscribe().catch(onTrouble)
  }
  const theirs = client.listeners(channelsLost)
  // First ours, then without theirs: the client inherits its table of listeners from the object that emits, and Node.js makes a new table once the last one is gone.
  client.on(channelsLost, followChannels)
  for (const listener of theirs) client.off(channelsLost, listener as () => void)
  // Connections to servers that had the channels before stay open, and are made again once a second when those are lost.
  client.on('node-error', (error: Error, { host, port }: { host: string, port: number }) => {
    const master = client.slots[slot]?.master
    if (master === undefined || (master.host === host && master.port === port)) onCut(error)
    else onTrouble(error)
  })
  client.on('error', onTrouble)
  client.on('sharded-channel-moved-error', onCut)
  return {
    get isReady () { return client.isOpen },
    open: async (channels, received) => {
      const heard = (message: Buffer): void => {
        noteHolder()
        received(message)
      }
      slot = slotOf(tagged(channels[0] ?? ''))
      subscribe = async () => { for (const channel of channels) await client.sSubscribe(tagged(channel), heard, true) }
      await client.connect()
      await subscribe()
      noteHolder()
    },
    subscribeAgain: () => subscribe(),
    publish: (channel, message) => {
      noteHolder()
      return client.sPublish(tagged(channel), message)
    },
    close: () => client.close(),
    destroy: async () => { await client.destroy() },
  }
}

/** Where Redis Cluster keeps a channel: CRC16 (XMODEM) of what is in its first braces. @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
function slotOf (channel: string): number {
  const tag = /\{([^}]+)\}/.exec(channel)?.[1] ?? channel
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff
  }
  return crc % 16384
}
