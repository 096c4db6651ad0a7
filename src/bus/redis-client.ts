import { createClient, createCluster, createSentinel } from 'redis'
import type { RedisAddress } from './redis-address.ts'

/** The part of Redis that a bus uses, however many servers there are. */
export interface RedisClient {
  /** Whether messages can be published now. */
  readonly isReady: boolean
  /** Connects and subscribes. @throws Error if that fails */
  open (channels: readonly string[], received: (message: Buffer) => void): Promise<void>
  /** Restores lost subscriptions. @throws Error if that fails now */
  subscribeAgain (): Promise<void>
  /** Publishes a message. */
  publish (channel: string, message: Buffer): Promise<unknown>
  /** Closes the connections once Redis has answered all messages. */
  close (): Promise<unknown>
  /** Closes the connections at once. @throws Error if they were never opened, or are closed already */
  destroy (): Promise<void>
}

/** The events and choices of a client. */
export interface RedisClientOptions {
  readonly address: RedisAddress
  /** A connection was lost, or another server has taken over: messages may be lost. */
  onCut (error: Error): void
  /** A connection failed that carries no messages; it matters while the bus opens. */
  onTrouble (error: Error): void
  /** Whether to reconnect after this error; otherwise `open` fails. */
  retries (error: Error): boolean
}

/** ms between two pings of a connection. */
const pingEveryMs = 2000
/** ms without any answer after which a connection counts as dead. */
const silenceMs = 6000
const connectTimeoutMs = 3000
/** Ms; the longest pause between two attempts to reconnect. */
const maxRetryMs = 1000
/**
 * ms without an answer after which a Sentinel counts as dead: sooner than a server, because the Sentinels are asked one
 * after the other, and nothing is published meanwhile. All of them must be asked before the next scan, or the library
 * never completes one.
 */
const sentinelSigns = { pingEveryMs: 800, silenceMs: 2000 }
/** ms between two questions to Sentinel for the master, in case its own message about a change was lost. */
const scanEveryMs = 10_000

/** The options that all connections share. */
const connection = (retries: RedisClientOptions['retries'], tls: boolean | undefined, signs = { pingEveryMs, silenceMs }) => ({
  disableOfflineQueue: true,
  pingInterval: signs.pingEveryMs,
  socket: {
    ...(tls === true ? { tls } : {}),
    connectTimeout: connectTimeoutMs,
    socketTimeout: signs.silenceMs,
    reconnectStrategy: (tries: number, cause: Error) => retries(cause) ? Math.min(maxRetryMs, 50 * 2 ** tries) : cause,
  },
})

/**
 * Without the library's limit of 5 s, which costs a timer for each message: here a silent connection ends as a whole.
 */
const commandOptions = { timeout: 0 }

/** Makes a client for one server, for Sentinel or for Redis Cluster. */
export function makeRedisClient (options: RedisClientOptions): RedisClient {
  switch (options.address.kind) {
    case 'server': return forServer(options.address, options)
    case 'sentinel': return forSentinel(options.address, options)
    case 'cluster': return forCluster(options.address, options)
  }
}

type Address<Kind extends RedisAddress['kind']> = Extract<RedisAddress, { kind: Kind }>

/** One connection publishes and receives (RESP3), so a cut interrupts both. */
function forServer ({ url }: Address<'server'>, { onCut, retries }: RedisClientOptions): RedisClient {
  const client = createClient({ url, commandOptions, ...connection(retries, undefined) })
  client.on('error', onCut)
  return through(client)
}

function forSentinel ({ master, nodes, login, sentinelLogin, tls }: Address<'sentinel'>, { onCut, onTrouble, retries }: RedisClientOptions): RedisClient {
  // Only connections to the servers ask this. The library's errors do not tell those from connections to Sentinels, and
  // a dead Sentinel causes an error at each scan.
  const retriesAfterCut = (error: Error): boolean => {
    onCut(error)
    return retries(error)
  }
  const client = createSentinel({
    name: master,
    sentinelRootNodes: [...nodes],
    nodeClientOptions: { ...login, ...connection(retriesAfterCut, tls) },
    sentinelClientOptions: { ...sentinelLogin, ...connection(retries, tls, sentinelSigns) },
    commandOptions,
    scanInterval: scanEveryMs,
    passthroughClientErrorEvents: true,
    // Otherwise messages could overtake each other while the library shares its one connection.
    reserveClient: true,
  })
  // The library reports a silent Sentinel twice, first as a string, which would hide the reason.
  client.on('error', (error: unknown) => { if (error instanceof Error) onTrouble(error) })
  client.on('topology-change', ({ type }: { type: string }) => {
    if (type === 'MASTER_CHANGE') onCut(new Error('Another server has become the master'))
  })
  return through(client)
}

/** The part that the library's clients of one server and of Sentinel have in common. */
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
  // One connection carries all subscriptions, and the library restores them before it reports that connection as ready.
  subscribeAgain: async () => {},
  publish: (channel, message) => client.publish(channel, message),
  close: () => client.close(),
  destroy: async () => { await client.destroy() },
})

/** The event of the library's client of Redis Cluster when a server with subscriptions leaves the cluster. */
const channelsLost = '__resubscribeListeners'

/** Uses sharded channels (Redis 7): each message goes only to the server that holds the service's channels. */
function forCluster ({ nodes, login, tls }: Address<'cluster'>, { onCut, onTrouble, retries }: RedisClientOptions): RedisClient {
  const client = createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { ...login, ...connection(retries, tls) },
    commandOptions,
    minimizeConnections: true,
  })
  // The braces put all channels of a service on one server; otherwise a node's farewell could overtake its last batch.
  const tagged = (channel: string): string => channel.replace(/^[^:]+/, '{$&}')
  let slot = -1
  let holder: string | undefined
  /** Reports a move of the channels to another server, which the library follows silently: messages may be lost. */
  const noteHolder = (): void => {
    const now = client.slots[slot]?.master.address
    if (now === undefined || now === holder) return
    if (holder !== undefined) onCut(new Error('The channels have moved to another server'))
    holder = now
  }
  let subscribe = async (): Promise<void> => {}
  /** Replaces the library's own listener, which subscribes at another server too, but with an unhandled rejection. */
  const followChannels = (): void => {
    // The client was closed on purpose.
    if (!client.isOpen) return
    onCut(new Error('The server of the channels has left the cluster'))
    subscribe().catch(onTrouble)
  }
  const theirs = client.listeners(channelsLost)
  // Add the new listener before removing the others: the client inherits its table of listeners from the object that
  // emits, and Node.js makes a new table once the last listener is gone.
  client.on(channelsLost, followChannels)
  for (const listener of theirs) client.off(channelsLost, listener as () => void)
  // Connections to earlier servers of the channels stay open, and are retried once a second when they fail.
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

/**
 * The slot of a channel in Redis Cluster: CRC16 (XMODEM) of the text in its first braces.
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */
function slotOf (channel: string): number {
  const tag = /\{([^}]+)\}/.exec(channel)?.[1] ?? channel
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff
  }
  return crc % 16384
}
