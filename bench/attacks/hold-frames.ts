/**
 * Sockets that begin large messages and never finish them: how much memory the process holds for them, and how slow
 * another room becomes for two people. `npm run build`, then
 * `npx tsx bench/attacks/hold-frames.ts [--sockets 100] [--mb 31] [--mbit 10000]`; `--mbit` is the attacker's link.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { describeServer, startServer, withFolder, type RunningServer } from '../servers.ts'

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '100' },
    mb: { type: 'string', default: '31' },
    mbit: { type: 'string', default: '10000' },
  },
})
const sockets = Number(values.sockets)
const bytes = Number(values.mb) * 2 ** 20
const chunk = Buffer.alloc(2 ** 20)
/** Time for a chunk, in ms */
const paceMs = chunk.length * 8 / (Number(values.mbit) * 1000)
/** Time for which the honest pair is measured, at rest and under attack, in ms */
const watchedMs = 5000

interface Attack {
  readonly path: string
  readonly headers: (index: number) => Record<string, string>
  readonly isFragment?: boolean
}

const kind = describeServer('ours', resolve(import.meta.dirname, '../..'))
if (typeof kind === 'string') throw new Error(kind)
const { wire } = kind
const attacks: Record<string, Attack> = {
  unauthenticated: { path: '/collaboration/ws/', headers: () => ({}) },
  readers: { path: wire.path('attacked'), headers: (index) => ({ ...wire.headers, 'X-Can-Edit': 'False', 'X-User-Id': `reader-${index}` }) },
  'one editor': { path: wire.path('attacked'), headers: () => ({ ...wire.headers, 'X-User-Id': 'editor' }) },
  'many editors': { path: wire.path('attacked'), headers: (index) => ({ ...wire.headers, 'X-User-Id': `editor-${index}` }) },
  'many editors, fragments': { path: wire.path('attacked'), headers: (index) => ({ ...wire.headers, 'X-User-Id': `editor-${index}` }), isFragment: true },
}

console.log(`${sockets} sockets, each with ${values.mb} MiB of a message that is never finished`)
console.log('attack | MiB before | peak | after | sockets left | p50 / p99 ms calm | under attack')
for (const [name, attack] of Object.entries(attacks)) {
  await withFolder(async (folder) => { await measure(name, attack, folder) })
}
process.exit(0)

async function measure (name: string, attack: Attack, folder: string): Promise<void> {
  const server = await startServer(kind as Exclude<typeof kind, string>, folder) // a string has been thrown above
  const calm = await watch(server.port)
  const { now: before } = server.resident
  server.forgetPeak()
  const opened: Socket[] = []
  const [attacked] = await Promise.all([watch(server.port), hold(server, attack, opened)])
  const { now: after, peak } = server.resident
  const left = opened.filter(({ closed }) => !closed).length
  console.log([name, mib(before), mib(peak), mib(after), left, calm, attacked].join(' | '))
  for (const socket of opened) socket.destroy()
  await server.stop()
}

async function hold (
  { port }: RunningServer,
  { path, headers, isFragment = false }: Attack,
  opened: Socket[]
): Promise<void> {
  for (let index = 0; index < sockets; index++) {
    const socket = connect(port, '127.0.0.1')
    opened.push(socket)
    socket.on('error', () => {}) // the cut is expected, and measured
    const lines = { Host: 'x', Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'MDEyMzQ1Njc4OWFiY2RlZg==', 'Sec-WebSocket-Version': '13', ...headers(index) }
    socket.write(`GET ${path} HTTP/1.1\r\n${Object.entries(lines).map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`)
    await Promise.race([once(socket, 'data'), once(socket, 'close')])
    socket.resume()
    const header = Buffer.alloc(14)
    header.set([isFragment ? 0x02 : 0x82, 0x80 | 127])
    header.writeBigUInt64BE(BigInt(isFragment ? bytes : bytes + 1), 2)
    socket.write(header)
    const startedAt = performance.now()
    for (let sent = 0; sent < bytes && !socket.destroyed; sent += chunk.length) {
      await taken(socket, chunk)
      const early = startedAt + (sent / chunk.length + 1) * paceMs - performance.now()
      if (early >= 1) await delay(early)
    }
  }
}

/** Resolves when the kernel has taken the bytes, or the socket has ended. */
async function taken (socket: Socket, data: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('close', done)
      resolve()
    }
    socket.once('close', done)
    socket.write(data, done)
  })
}

/** @returns p50 and p99 of the ms that a keystroke takes from one person to the other */
async function watch (port: number): Promise<string> {
  const [writer, reader] = await Promise.all([open(port), open(port)])
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => { writer.send(wire.update('calm', update)) })
  const times: number[] = []
  for (const startedAt = performance.now(); performance.now() - startedAt < watchedMs;) {
    const sentAt = performance.now()
    const heard = heardUpdate(reader)
    doc.getText('text').insert(0, 'x')
    await heard
    times.push(performance.now() - sentAt)
    await delay(20)
  }
  writer.terminate()
  reader.terminate()
  times.sort((a, b) => a - b)
  return [0.5, 0.99].map((part) => times[Math.floor(times.length * part)]?.toFixed(1)).join(' / ')
}

async function open (port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${wire.path('calm')}`, { headers: wire.headers })
  await once(socket, 'open')
  for (const message of wire.greet('calm')) socket.send(message)
  return socket
}

async function heardUpdate (socket: WebSocket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.on('message', function look (data: Buffer) {
      if (wire.decode(data).kind !== 'update') return
      socket.off('message', look)
      resolve()
    })
  })
}

function mib (count: number): number { return Math.round(count / 2 ** 20) }
