import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../free-port.ts'

const run = promisify(execFile)

export interface PostgresServer {
  readonly port: number
  /** Folder of its Unix socket */
  readonly socket: string
  /** Creates an empty schema, with a role that has no other rights. @returns the URL for that role */
  makeSchema (name: string): Promise<string>
  /** Folder with `server.crt`, if the server was started with TLS */
  readonly folder: string
  /** Stops it, and after `meanwhile` starts it again on the same port. */
  restart (meanwhile?: () => Promise<void>): Promise<void>
  /** Suspends all its processes: connections stay open, but nothing answers. @returns a function that resumes them */
  freeze (): Promise<() => void>
  /** Does something as the superuser. */
  asAdmin<Result> (work: (client: pg.Client) => Promise<Result>): Promise<Result>
  stop (): Promise<void>
}

/**
 * Starts a PostgreSQL in a temporary folder, on a free port. Without `durable` it does not sync to the disk, which is
 * faster.
 */
export async function startPostgres ({ tls = false, durable = false } = {}): Promise<PostgresServer> {
  const bin = findPrograms()
  const folder = await mkdtemp(join(tmpdir(), 'y-pg-'))
  await chmod(folder, 0o755)
  const data = join(folder, 'data')
  if (isRoot) await run('install', ['-d', '-o', 'postgres', data])
  await unprivileged(join(bin, 'initdb'), ['-D', data, '-U', 'admin', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
  if (tls) await makeCertificate(folder)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `fsync=${durable ? 'on' : 'off'}`, 'max_connections=100', ...tls ? ['ssl=on', `ssl_cert_file=${folder}/server.crt`, `ssl_key_file=${folder}/server.key`] : []]
  const start = async () => {
    const [command = '', ...args] = unprivilegedCommand(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-k', data, ...settings.flatMap((setting) => ['-c', setting])])
    const server = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder })
    await ready(server)
    const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    const guard = stopWithUs(pid)
    return async () => {
      guard.kill()
      const exited = once(server, 'exit')
      process.kill(Number(pid), 'SIGINT')
      await exited
    }
  }
  let stop = await start()
  const freeze = async (): Promise<() => void> => {
    const [postmaster = ''] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
    const starter = Number((await run('ps', ['-o', 'ppid=', '-p', postmaster])).stdout)
    // The postmaster first, so that it starts no more processes.
    process.kill(Number(postmaster), 'SIGSTOP')
    const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', postmaster])
    const pids = [...stdout.trim().split(/\s+/), postmaster].map(Number)
    const signal = (name: NodeJS.Signals): void => { for (const pid of pids) process.kill(pid, name) }
    signal('SIGSTOP')
    return () => {
      signal('SIGCONT')
      // The kernel stops runuser with its child, but does not resume it.
      if (isRoot) process.kill(starter, 'SIGCONT')
    }
  }

  const asAdmin = async <Result> (work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'admin', database: 'postgres' })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  return {
    port,
    socket: data,
    folder,
    freeze,
    asAdmin,
    makeSchema: async (name) => {
      await asAdmin(async (client) => {
        await client.query(`CREATE ROLE ${name} LOGIN`)
        await client.query(`CREATE SCHEMA ${name} AUTHORIZATION ${name}`)
      })
      return `postgres://${name}@127.0.0.1:${port}/postgres`
    },
    restart: async (meanwhile) => {
      await stop()
      try {
        await meanwhile?.()
      } finally {
        stop = await start()
      }
    },
    stop: async () => {
      await stop()
      await rm(folder, { recursive: true })
    },
  }
}

/** Stops the server if this test is killed: the shell's input then ends. */
function stopWithUs (pid = ''): ChildProcess {
  const guard = spawn('sh', ['-c', 'read _; kill -INT "$0"', pid], { stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  // This end of the pipe is a socket, which would keep the process alive.
  if (guard.stdin && 'unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref()
  return guard
}

/** Makes a self-signed certificate for 127.0.0.1. */
async function makeCertificate (folder: string): Promise<void> {
  const key = join(folder, 'server.key')
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', join(folder, 'server.crt')])
  if (isRoot) await run('chown', ['postgres', key])
}

function findPrograms (): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).map(Number).sort((a, b) => b - a) : []
  const found = versions.map((version) => join(root, String(version), 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
  if (!found) throw new Error('This test needs PostgreSQL, which is not in /usr/lib/postgresql: apt-get install postgresql')
  return found
}

const isRoot = process.getuid?.() === 0

/** PostgreSQL refuses to run as root. */
function unprivilegedCommand (program: string, args: string[]): string[] {
  return isRoot ? ['runuser', '-u', 'postgres', '--', program, ...args] : [program, ...args]
}

async function unprivileged (program: string, args: string[]): Promise<void> {
  const [command = '', ...rest] = unprivilegedCommand(program, args)
  await run(command, rest, { cwd: tmpdir() })
}

/** Resolves when the server logs that it accepts connections. */
async function ready (server: ReturnType<typeof spawn>): Promise<void> {
  if (!server.stderr) throw new Error('PostgreSQL has no log to read')
  const said: string[] = []
  for await (const line of createInterface({ input: server.stderr })) {
    said.push(line)
    if (!line.includes('ready to accept connections')) continue
    server.stderr.resume()
    return
  }
  throw new Error(`PostgreSQL did not start: ${said.join('\n')}`)
}
