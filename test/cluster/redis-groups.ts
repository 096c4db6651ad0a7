import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Certificate } from '../certificate.ts'
import { eventually } from '../clients/eventually.ts'
import { freePort } from '../free-port.ts'
import { requireProgram, start, type Running } from '../processes.ts'
import { startRedis, type RedisServer } from './redis-server.ts'

const run = promisify(execFile)
const program = '/usr/bin/redis-server'
const cli = '/usr/bin/redis-cli'

export const masterName = 'main'
export const password = 'open sesame/1'
export const sentinelPassword = 'watchful'

/** How a group is reached and its servers reach each other: with this certificate only by TLS. */
export interface GroupOptions {
  readonly tls?: Certificate
}

/** A master, a replica and three Sentinels that watch them, all with passwords. */
export interface RedisSentinels {
  /** In the format of REDIS_URL */
  readonly url: string
  readonly sentinelPorts: readonly number[]
  readonly master: RedisServer
  readonly replica: RedisServer
  /** Ends the connections of that type to the master. */
  killConnections (type: 'normal' | 'pubsub'): Promise<void>
  remove (): Promise<void>
}

export async function startSentinels ({ tls }: GroupOptions = {}): Promise<RedisSentinels> {
  const folder = await mkdtemp(join(tmpdir(), 'y-sentinel-'))
  const ask = asker(tls)
  const locked = ['--requirepass', password, '--masterauth', password]
  const begin = async (more: string[]): Promise<RedisServer> => {
    if (tls === undefined) return await startRedis([...locked, ...more])
    const port = await freePort()
    // Of repeated settings the last one counts.
    return { ...await startRedis([...locked, ...asArguments(onlyByTls(tls, port)), ...more]), port }
  }
  const master = await begin([])
  const replica = await begin(['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'])
  await eventually(async () => (await ask(replica.port, ['--pass', password, 'info', 'replication'])).includes('master_link_status:up'))
  const sentinels = await Promise.all([0, 1, 2].map(async () => {
    const port = await freePort()
    const settings = join(folder, `${port}.conf`)
    await writeFile(settings, [
      ...tls === undefined ? [`port ${port}`] : onlyByTls(tls, port), 'bind 127.0.0.1', `dir ${folder}`, `requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 2`, `sentinel auth-pass ${masterName} "${password}"`,
      `sentinel down-after-milliseconds ${masterName} 1000`, `sentinel failover-timeout ${masterName} 5000`,
    ].join('\n'))
    return { port, running: await start(program, [settings, '--sentinel'], { ready: /\+monitor/ }) }
  }))
  const known = async (): Promise<boolean> => {
    const texts = await Promise.all(sentinels.map(({ port }) => ask(port, ['--pass', sentinelPassword, 'sentinel', 'master', masterName])))
    return texts.every((text) => /num-slaves\n1\n/.test(text) && /num-other-sentinels\n2\n/.test(text))
  }
  await eventually(known)
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return {
    url: `${scheme(tls)}+sentinel://:${encodeURIComponent(password)}@${hosts}/${masterName}?sentinel_password=${sentinelPassword}`,
    sentinelPorts: sentinels.map(({ port }) => port),
    master,
    replica,
    killConnections: async (type) => { await ask(master.port, ['--pass', password, 'client', 'kill', 'type', type]) },
    remove: async () => {
      await Promise.all(sentinels.map(({ running }) => running.stop('SIGKILL')))
      await Promise.all([master.remove(), replica.remove()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Three masters of Redis Cluster, with a password. */
export interface RedisCluster {
  readonly url: string
  /** The server that has the subscribers of sharded channels. */
  holder (): Promise<number>
  /** Moves a channel, and the rest of its slot, to another server. */
  move (channel: string, from: number, to: number): Promise<void>
  /** Starts a replica, which takes over when that server is lost. */
  addReplica (of: number): Promise<void>
  /** From now on only that server accepts subscriptions to sharded channels. */
  othersRefuseSubscribers (but: number): Promise<Refusal>
  /** Resolves once that server reports the cluster as whole, or as broken. */
  says (index: number, state: 'ok' | 'fail'): Promise<void>
  /** Kills one server. @returns a function that starts it again */
  kill (index: number): Promise<() => Promise<void>>
  remove (): Promise<void>
}

export interface Refusal {
  /** Resolves once a subscriber was rejected. */
  isFelt (): Promise<void>
  end (): Promise<void>
}

interface ClusterServer {
  readonly folder: string
  readonly port: number
  readonly busPort: number
  readonly begin: () => Promise<Running>
  running: Running
}

export async function startRedisCluster ({ tls }: GroupOptions = {}): Promise<RedisCluster> {
  requireProgram(cli, 'redis-tools')
  const ask = asker(tls)
  const servers = await Promise.all([0, 1, 2].map(() => startClusterServer(tls)))
  const at = (index: number): ClusterServer => {
    const server = servers[index]
    if (server === undefined) throw new RangeError('There is no such server.')
    return server
  }
  const askServer = ({ port }: ClusterServer, ...args: string[]): Promise<string> => ask(port, ['--pass', password, ...args])
  const says = async (server: ClusterServer, state: 'ok' | 'fail'): Promise<void> => {
    await eventually(async () => (await askServer(server, 'cluster', 'info')).includes(`cluster_state:${state}`))
  }
  await run(cli, [...trusting(tls), '--pass', password, '--no-auth-warning', '--cluster', 'create', ...servers.map(({ port, busPort }) => `127.0.0.1:${port}@${busPort}`), '--cluster-yes'])
  for (const server of servers) await says(server, 'ok')
  return {
    url: `${scheme(tls)}+cluster://:${encodeURIComponent(password)}@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    holder: async () => {
      const channels = await Promise.all(servers.map((server) => askServer(server, 'pubsub', 'shardchannels')))
      return channels.findIndex((names) => names.trim() !== '')
    },
    move: async (channel, from, to) => {
      const slot = (await askServer(at(from), 'cluster', 'keyslot', channel)).trim()
      const [giver, taker] = [(await askServer(at(from), 'cluster', 'myid')).trim(), (await askServer(at(to), 'cluster', 'myid')).trim()]
      await askServer(at(to), 'cluster', 'setslot', slot, 'importing', giver)
      await askServer(at(from), 'cluster', 'setslot', slot, 'migrating', taker)
      for (const server of [at(to), ...servers.filter((server) => server !== at(to))]) await askServer(server, 'cluster', 'setslot', slot, 'node', taker)
    },
    addReplica: async (of) => {
      const replica = await startClusterServer(tls)
      servers.push(replica)
      const master = (await askServer(at(of), 'cluster', 'myid')).trim()
      await askServer(replica, 'cluster', 'meet', '127.0.0.1', String(at(of).port), String(at(of).busPort))
      await eventually(async () => (await askServer(replica, 'cluster', 'nodes')).includes(master))
      await askServer(replica, 'cluster', 'replicate', master)
      await eventually(async () => (await askServer(replica, 'info', 'replication')).includes('master_link_status:up'))
      // A voter must know its candidate.
      const id = (await askServer(replica, 'cluster', 'myid')).trim()
      for (const server of servers) await eventually(async () => new RegExp(`^${id} .*slave ${master}`, 'm').test(await askServer(server, 'cluster', 'nodes')))
    },
    othersRefuseSubscribers: async (but) => {
      const others = servers.filter((server) => server !== at(but))
      const allow = async (sign: '+' | '-'): Promise<void> => {
        for (const server of others) await askServer(server, 'acl', 'setuser', 'default', `${sign}ssubscribe`)
      }
      await allow('-')
      return {
        isFelt: () => eventually(async () => (await Promise.all(others.map((server) => askServer(server, 'acl', 'log')))).some((log) => /^ssubscribe$/m.test(log))),
        end: () => allow('+'),
      }
    },
    says: (index, state) => says(at(index), state),
    kill: async (index) => {
      const server = at(index)
      await server.running.stop('SIGKILL')
      return async () => { server.running = await server.begin() }
    },
    remove: async () => {
      await Promise.all(servers.map(({ running }) => running.stop('SIGKILL')))
      await Promise.all(servers.map(({ folder }) => rm(folder, { recursive: true, force: true })))
    },
  }
}

async function startClusterServer (tls: Certificate | undefined): Promise<ClusterServer> {
  const folder = await mkdtemp(join(tmpdir(), 'y-redis-cluster-'))
  const [port, busPort] = [await freePort(), await freePort()]
  const byTls = tls === undefined ? [] : [...asArguments(onlyByTls(tls, port)), '--tls-cluster', 'yes']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', '--requirepass', password, '--masterauth', password,
    '--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0', ...byTls]
  const begin = (): Promise<Running> => start(program, args, { ready: /Ready to accept connections/ })
  return { folder, port, busPort, begin, running: await begin() }
}

const scheme = (tls: Certificate | undefined): string => tls === undefined ? 'redis' : 'rediss'

/** Settings of a server that listens on this port by TLS, on none without, and reaches its peers by TLS. */
const onlyByTls = ({ certificate, key }: Certificate, port: number): string[] =>
  ['port 0', `tls-port ${port}`, `tls-cert-file ${certificate}`, `tls-key-file ${key}`, `tls-ca-cert-file ${certificate}`, 'tls-auth-clients no', 'tls-replication yes']

const asArguments = (settings: readonly string[]): string[] => settings.flatMap((setting) => `--${setting}`.split(' '))

const trusting = (tls: Certificate | undefined): string[] => tls === undefined ? [] : ['--tls', '--cacert', tls.certificate]

/** Sends commands to servers. */
const asker = (tls: Certificate | undefined) => async (port: number, args: readonly string[]): Promise<string> => {
  const { stdout } = await run(cli, ['-p', String(port), ...trusting(tls), '--no-auth-warning', ...args])
  return stdout.replaceAll('\r', '')
}
