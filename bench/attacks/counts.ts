/**
 * Measures the echo of an honest pair in another room, at rest and under attack by frames with many clients, ranges or
 * entries: `npm run build`, then `npx tsx bench/attacks/counts.ts [part of a name]`. Each attack starts its own
 * service.
 */
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as encoding from 'lib0/encoding'
import { DecodeCache } from '../load/decode-cache.ts'
import type { Histogram } from '../load/histogram.ts'
import { describeServer, startServer, withFolder, type RunningServer } from '../servers.ts'
import { presence, smallDeletes, stateVector, updates } from './counted-frames.ts'
import { HonestPair } from './honest-pair.ts'
import { RawClient } from '../../test/clients/raw-client.ts'

const bytesPerMiB = 2 ** 20
const calmMs = 4000
/** Minimum time for which the pair is measured, however soon the attacker is closed */
const watchedMs = 4000
const floodMs = 8000
/** Below the rates that the service allows one socket */
const floodBytesPerSecond = 14 * bytesPerMiB
const reopened = 5

const sync = (step: number, bytes: Uint8Array): Uint8Array => encoding.encode((encoder) => {
  encoding.writeVarUint(encoder, 0)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, bytes)
})
const awareness = (bytes: Uint8Array): Uint8Array => encoding.encode((encoder) => {
  encoding.writeVarUint(encoder, 1)
  encoding.writeVarUint8Array(encoder, bytes)
})

const kind = describeServer('ours', resolve(import.meta.dirname, '../..'))
if (typeof kind === 'string') throw new Error(kind)
const { wire } = kind

type Open = (canEdit: boolean) => Promise<RawClient>
type Attack = (open: Open) => Promise<string>

const outcome = ({ closeCode }: RawClient): string => closeCode === undefined ? 'stays' : `closed with ${closeCode}`

/** Sends one frame, and waits a while for its effects. */
const once = (canEdit: boolean, message: Uint8Array): Attack => async (open) => {
  const socket = await open(canEdit)
  socket.send(message)
  await delay(watchedMs)
  const said = outcome(socket)
  socket.end()
  return said
}

const flood = (
  canEdit: boolean,
  messages: Iterator<Uint8Array>,
  perSecond: number,
  first?: Uint8Array
): Attack => async (open) => {
  const socket = await open(canEdit)
  if (first !== undefined) {
    socket.send(first)
    await delay(2000)
  }
  let sent = 0
  for (const start = performance.now(); performance.now() - start < floodMs && socket.closeCode === undefined;) {
    const due = (performance.now() - start) / 1000 * perSecond
    // The messages never end.
    for (; sent < due; sent++) socket.send(messages.next().value as Uint8Array)
    await delay(5)
  }
  const said = outcome(socket)
  socket.end()
  return `${sent} frames, ${said}`
}

function * repeat (message: Uint8Array): Generator<Uint8Array, never> {
  while (true) yield message
}

const floodOf = (message: Uint8Array): Attack => flood(false, repeat(message), floodBytesPerSecond / message.length)

/** Fills a room once; then a read-only client opens it again and again. */
const reopening = (message: Uint8Array): Attack => async (open) => {
  const filler = await open(true)
  filler.send(message)
  await delay(watchedMs)
  const said = outcome(filler)
  filler.end()
  for (let i = 0; i < reopened; i++) {
    const reader = await open(false)
    reader.send(sync(0, Uint8Array.of(0)))
    await delay(1000)
    reader.end()
    await delay(500)
  }
  return `${said}; opened ${reopened} times`
}

const attacks: Record<string, Attack> = {}
// The first size stays below every bound.
for (const [name, make] of Object.entries(updates)) {
  for (const mib of [0.62, 0.8, 8]) {
    attacks[`${mib} MiB of ${name}`] = once(true, sync(2, make(mib * bytesPerMiB)))
    attacks[`${mib} MiB of ${name}, a reader's step 2`] = once(false, sync(1, make(mib * bytesPerMiB)))
  }
}
for (const mib of [0.5, 8]) {
  attacks[`${mib} MiB of state vector`] = once(false, sync(0, stateVector(mib * bytesPerMiB)))
  attacks[`${mib} MiB of presence`] = once(true, awareness(presence(mib * bytesPerMiB)))
}
attacks['flood of state vectors'] = floodOf(sync(0, stateVector(200 * 1024)))
attacks['flood of presence'] = floodOf(awareness(presence(11 * 1024)))
function * deletes (): Generator<Uint8Array> { for (const update of smallDeletes()) yield sync(2, update) }
attacks['flood of small deletions'] = flood(true, deletes(), 100, sync(2, updates['ranges of deletions']!(1.1 * bytesPerMiB)))
attacks['reopening 0.62 MiB of clients'] = reopening(sync(2, updates['clients']!(0.62 * bytesPerMiB)))
attacks['reopening 1.1 MiB of ranges'] = reopening(sync(2, updates['ranges of deletions']!(1.1 * bytesPerMiB)))

console.log('attack | outcome | echo p50 / p99 / max ms calm | under attack | MiB before | growth')
for (const [name, attack] of Object.entries(attacks)) {
  if (name.includes(process.argv[2] ?? '')) await withFolder(async (folder) => { await measure(name, attack, folder) })
}
process.exit(0)

async function measure (name: string, attack: Attack, folder: string): Promise<void> {
  const server = await startServer(kind as Exclude<typeof kind, string>, folder) // a string has been thrown above
  const pair = await HonestPair.join({ port: server.port, wire, decode: new DecodeCache(wire) }, 'honest')
  await pair.measureWhile(delay(1000)) // warms up the compiled code
  const calm = await pair.measureWhile(delay(calmMs))
  const { now: before } = server.resident
  server.forgetPeak()
  const ending = attack((canEdit) => open(server, canEdit))
  const attacked = await pair.measureWhile(Promise.all([ending, delay(watchedMs)]))
  console.log([name, await ending, text(calm), text(attacked), (before / bytesPerMiB).toFixed(0), ((server.resident.peak - before) / bytesPerMiB).toFixed(0)].join(' | '))
  pair.leave()
  await server.stop()
}

async function open ({ port }: RunningServer, canEdit: boolean): Promise<RawClient> {
  return await RawClient.open(port, wire.path('attacked'), { ...wire.headers, 'X-User-Id': 'attacker', 'X-Can-Edit': canEdit ? 'True' : 'False' }, () => {})
}

function text (delays: Histogram): string {
  return [delays.quantile(0.5), delays.quantile(0.99), delays.maximum].map((ms) => ms.toFixed(1)).join(' / ')
}
