import type { Test } from 'tap'
import { everyone, type Bus, type OpenBus } from '../../src/bus/bus.ts'
import { openRedisBus } from '../../src/bus/redis-bus.ts'
import { redisFailure } from '../../src/bus/redis-failure.ts'
import type { Logger } from '../../src/logging/logger.ts'
import { eventually } from '../clients/eventually.ts'
import { openEar, type Ear } from './contract.ts'

export const note = (): void => {}
const logger: Logger = { debug: note, info: note, warn: note, error: note }
export const opener = (url: string): OpenBus => (node, listener) => openRedisBus({ url, prefix: 'test', logger }, node, listener)
export const deaf: Parameters<OpenBus>[1] = { received () {}, restored () {} }

/** The reason why a bus at this URL does not open. */
export const refusal = (url: string): Promise<string> => opener(url)('AAAAAAAA', deaf).then(() => 'connected', redisFailure)
export const rejectsPassword = /^the server rejects the user or the password/

export const away = 'Redis is unreachable; the nodes read the store to see each other\'s updates'
export const back = 'Redis is reachable again'

/** A node with its log lines. */
export interface Noted extends Ear { readonly lines: readonly string[] }

export async function openNoted (t: Test, url: string): Promise<Noted> {
  const lines: string[] = []
  const note = (_details: object, text: string): void => { lines.push(text) }
  const ear = await openEar(t, (node, listener) => openRedisBus({ url, prefix: 'test', logger: { debug () {}, info: note, warn: note, error: note } }, node, listener))
  return { ...ear, lines }
}

/** Sends a text until it arrives: Redis loses messages while its servers look for each other. */
export async function isHeard (from: Bus, to: Ear, text: string): Promise<void> {
  await eventually(() => {
    from.send(to.bus.node, Buffer.from(text))
    return to.heard.some((message) => message.text === text)
  })
}

/** Both nodes are restored once, and from then on receive every message: to one node and to all. */
export async function isOneCut (t: Test, a: Noted, b: Noted): Promise<void> {
  await Promise.all([a.isRestored(1), b.isRestored(1)])
  a.bus.send(b.bus.node, Buffer.from('said once'))
  b.bus.send(everyone, Buffer.from('to all'))
  const hears = (ear: Ear, text: string): boolean => ear.heard.some((message) => message.text === text)
  while (!hears(b, 'said once') || !hears(a, 'to all')) await Promise.race([a.hears(a.heard.length + 1), b.hears(b.heard.length + 1)])
  for (const ear of [a, b]) t.same(ear.lines, [away, back])
}

/** Two nodes reach each other before and after a fault, and both are notified of the interruption. */
export async function survives (t: Test, open: OpenBus, fault: () => Promise<void>): Promise<void> {
  const [a, b] = [await openEar(t, open), await openEar(t, open)]
  await isHeard(a.bus, b, 'before')
  await fault()
  await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after too')])
  await Promise.all([a.isRestored(1), b.isRestored(1)])
}
