import { eventually } from '../clients/eventually.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { startService, type Service } from '../crash/service.ts'
import { asDjango } from '../helper.ts'
import { startRedis } from './redis-server.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** Several nodes over one PostgreSQL and one Redis; each reaches Redis by a proxy of its own that can be cut. */
export interface Nodes {
  readonly nodes: readonly Service[]
  readonly ports: readonly number[]
  readonly redisLinks: readonly TcpProxy[]
  readonly redis: Awaited<ReturnType<typeof startRedis>>
  readonly postgres: Awaited<ReturnType<typeof startPostgres>>
  readonly databaseUrl: string
  stop (): Promise<void>
}

export async function startNodes (count: number, env: Record<string, string> = {}): Promise<Nodes> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  const databaseUrl = await postgres.makeSchema('y_provider')
  const redisLinks = await Promise.all(Array.from({ length: count }, () => startTcpProxy(redis.port)))
  const nodes = await Promise.all(redisLinks.map(({ port }) => startService('', { DATABASE_URL: databaseUrl, REDIS_URL: `redis://127.0.0.1:${port}`, LOG_LEVEL: 'info', ...env })))
  return {
    nodes,
    ports: nodes.map(({ port }) => port),
    redisLinks,
    redis,
    postgres,
    databaseUrl,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop('SIGKILL')))
      for (const link of redisLinks) link.close()
      await Promise.all([redis.remove(), postgres.stop()])
    },
  }
}

/** Sends a request to a node, as Django does. */
export async function ask (
  port: number | undefined,
  path: string,
  method = 'GET'
): Promise<{ status: number, body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: asDjango })
  return { status: response.status, body: await response.json() }
}

/** Repeats a request until the answer is the expected one. @throws after a while, with the last answer */
export async function answers (
  port: number | undefined,
  path: string,
  holds: (answer: { status: number, body: unknown }) => boolean
): Promise<void> {
  let answer: { status: number, body: unknown } | undefined
  const isExpected = async (): Promise<boolean> => {
    answer = await ask(port, path)
    return holds(answer)
  }
  await eventually(isExpected).catch((cause: unknown) => {
    throw new Error(`${path} still returns ${JSON.stringify(answer)}`, { cause })
  })
}
