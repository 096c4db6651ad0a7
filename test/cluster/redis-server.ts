import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { requireProgram, start, type Running } from '../processes.ts'

const program = '/usr/bin/redis-server'

/** A Redis on a free port, without anything on disk. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  stop (signal?: NodeJS.Signals): Promise<void>
  /** Starts it again, on the same port. */
  restart (): Promise<void>
  pid (): number
  remove (): Promise<void>
}

/** Starts Redis; `more` are further settings, as on its command line. */
export async function startRedis (more: string[] = []): Promise<RedisServer> {
  requireProgram(program, 'redis-server')
  const folder = await mkdtemp(join(tmpdir(), 'y-redis-'))
  const port = await freePort()
  const run = (): Promise<Running> => start(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...more], { ready: /Ready to accept connections/ })
  let running = await run()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid: () => running.pid,
    stop: async (signal = 'SIGKILL') => { await running.stop(signal) },
    restart: async () => { running = await run() },
    remove: async () => {
      await running.stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
