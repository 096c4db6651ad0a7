import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hocuspocusWire, relayWire, yWebsocketWire, type Wire } from './load/wire.ts'
import { forgetPeak, readCpuSeconds, readResidentBytes, type ResidentBytes } from './process-figures.ts'

const host = '127.0.0.1'
const peersFolder = join(import.meta.dirname, 'peers')
const startTimeoutMs = 20_000
const stopTimeoutMs = 10_000

/** 32 characters that need not be secret: the service is reachable from this machine alone, for seconds. */
const secret = 'bench-bench-bench-bench-bench-32'

export const serverNames = ['floor', 'y-websocket', 'hocuspocus', 'ours', 'ours-hocuspocus'] as const
export type ServerName = typeof serverNames[number]

/** How to start one of the servers, and which protocol its clients speak. */
export interface ServerKind {
  wire: Wire
  /** the module Node runs */
  entry: string
  cwd: string
  env: (folder: string, persistent: boolean) => Record<string, string>
  /** Name and version, for the report. */
  title: string
}

/**
 * Describes a server.
 * @param ours folder of the y-provider checkout to measure, built
 * @returns the description, or a sentence with the reason why this server cannot run here
 */
export function describeServer (
  name: ServerName,
  ours: string,
  oursEnv: Record<string, string> = {}
): ServerKind | string {
  if (name === 'ours' || name === 'ours-hocuspocus') return describeOurs(name, ours, oursEnv)
  if (!existsSync(join(peersFolder, 'node_modules'))) return 'the peers are not installed: npm ci --prefix bench/peers'
  if (name === 'floor') {
    return { wire: relayWire, entry: join(peersFolder, 'relay.js'), cwd: peersFolder, env: () => ({}), title: `bare relay on ws ${peerVersion('ws')}` }
  }
  if (name === 'hocuspocus') {
    return {
      wire: hocuspocusWire('/'),
      entry: join(peersFolder, 'hocuspocus.js'),
      cwd: peersFolder,
      env: (folder, persistent): Record<string, string> => persistent ? { PERSIST_DIR: folder } : {},
      title: `@hocuspocus/server ${peerVersion('@hocuspocus/server')}`,
    }
  }
  return {
    wire: yWebsocketWire('/'),
    entry: join(peersFolder, 'node_modules/@y/websocket-server/src/server.js'),
    cwd: peersFolder,
    env: (folder, persistent): Record<string, string> => persistent ? { YPERSISTENCE: folder } : {},
    title: `@y/websocket-server ${peerVersion('@y/websocket-server')}`,
  }
}

function describeOurs (name: 'ours' | 'ours-hocuspocus', ours: string, extra: Record<string, string>): ServerKind | string {
  const entry = resolve(ours, 'dist/server.js')
  if (!existsSync(entry)) return `${entry} does not exist: npm run build`
  const headers = { Authorization: secret }
  return {
    wire: name === 'ours' ? yWebsocketWire('/collaboration/ws/', headers) : hocuspocusWire('/collaboration/ws/?room=', headers),
    entry,
    cwd: resolve(ours),
    env: (folder) => ({ NODE_ENV: 'production', DATA_DIR: folder, COLLABORATION_SERVER_SECRET: secret, LOG_LEVEL: 'warn', ...extra }),
    title: `y-provider ${readVersion(resolve(ours, 'package.json'))}, store on`,
  }
}

const peerVersion = (name: string) => readVersion(join(peersFolder, 'node_modules', name, 'package.json'))

function readVersion (file: string): string {
  // A package.json that npm installed, or our own: version is always a string.
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}

/** Running servers: none outlives this process. */
const running = new Set<ChildProcess>()
process.on('exit', () => { for (const server of running) server.kill('SIGKILL') })

/** A server in a process of its own that listens on a port of the loopback interface. */
export class RunningServer {
  readonly port: number
  readonly wire: Wire
  readonly pid: number
  readonly #process: ChildProcess
  #stderr = ''

  constructor (process: ChildProcess, port: number, wire: Wire) {
    if (process.pid === undefined) throw new Error('The server did not start: no process was made.')
    this.#process = process
    this.pid = process.pid
    this.port = port
    this.wire = wire
    running.add(process)
    process.once('exit', () => running.delete(process))
    process.stderr?.on('data', (chunk: Buffer) => { this.#stderr = (this.#stderr + chunk.toString()).slice(-2000) })
  }

  get ended (): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** The last lines of its error output. */
  get complaint (): string {
    return this.#stderr.trim()
  }

  get cpuSeconds (): number {
    return readCpuSeconds(this.pid)
  }

  get resident (): ResidentBytes {
    return readResidentBytes(this.pid)
  }

  /** Resets the peak of its memory. */
  forgetPeak (): void {
    forgetPeak(this.pid)
  }

  /**
   * Waits until the server has been almost idle for twelve seconds, so that the work of an earlier step is finished and
   * its memory is freed. Gives up after two minutes.
   */
  async rest (): Promise<void> {
    for (let quiet = 0, left = 120; quiet < 12 && left > 0; left--) {
      const before = this.cpuSeconds
      await delay(1000)
      quiet = this.cpuSeconds - before > 0.05 ? 0 : quiet + 1
    }
  }

  /** Memory after a garbage collection, in bytes: JavaScript heap with its buffers, and resident memory of its own. */
  async readMemory (): Promise<{ heapBytes: number, residentBytes: number }> {
    this.#process.send('memory')
    const [answer] = await once(this.#process, 'message', { signal: AbortSignal.timeout(stopTimeoutMs) })
    // probe.js answers with exactly this shape, and nothing else writes to the channel.
    const { heapBytes } = answer as { heapBytes: number }
    return { heapBytes, residentBytes: this.resident.own }
  }

  /** Asks it to end; kills it after ten seconds. */
  async stop (): Promise<void> {
    if (this.ended) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopTimeoutMs)
    await exit
    clearTimeout(timer)
  }
}

/**
 * Starts a server on a free port of the loopback interface and waits until it accepts connections.
 * @param folder for its documents
 * @throws if it ends or does not listen within twenty seconds; the message contains its stderr
 */
export async function startServer (kind: ServerKind, folder: string, persistent = false): Promise<RunningServer> {
  const port = await findFreePort()
  const child = fork(kind.entry, [], {
    cwd: kind.cwd,
    // Without the environment of this process: a stray setting must not affect a measurement.
    env: { PATH: process.env.PATH, HOST: host, PORT: String(port), ...kind.env(folder, persistent) },
    execArgv: ['--expose-gc', '--import', join(import.meta.dirname, 'probe.js')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const server = new RunningServer(child, port, kind.wire)
  const deadline = performance.now() + startTimeoutMs
  while (!await accepts(port)) {
    if (server.ended || performance.now() > deadline) {
      await server.stop()
      throw new Error(`${kind.title} does not listen. ${server.complaint}`)
    }
    await delay(25)
  }
  return server
}

async function findFreePort (): Promise<number> {
  const probe = createServer().listen(0, host)
  await once(probe, 'listening')
  // A TCP server that listens has an AddressInfo, never a path or null.
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function accepts (port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  })
}

/** Temporary folders; a signal that ends the process in the middle of a measurement removes them too. */
const folders = new Set<string>()
process.on('exit', () => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })

/** Runs `use` with a new folder that is removed afterwards. */
export async function withFolder<T> (use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'y-provider-bench-'))
  folders.add(folder)
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
    folders.delete(folder)
  }
}
