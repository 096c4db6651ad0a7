import { once, EventEmitter } from 'node:events'
import type { Test } from 'tap'
import { everyone, newNodeId, type Bus, type NodeId, type OpenBus } from '../../src/bus/bus.ts'

/** A node on a bus, and the messages it has received. */
export interface Ear {
  readonly bus: Bus
  readonly heard: Array<{ from: NodeId, text: string }>
  readonly restored: () => number
  /** Resolves once `count` messages have arrived. */
  hears (count: number): Promise<void>
  /** Resolves once `count` ends of a cut have been reported. */
  isRestored (count: number): Promise<void>
}

export async function openEar (t: Test, open: OpenBus, node = newNodeId()): Promise<Ear> {
  const heard: Array<{ from: NodeId, text: string }> = []
  const news = new EventEmitter()
  const told = { restored: 0 }
  const bus = await open(node, {
    received (from, message) {
      heard.push({ from, text: Buffer.from(message).toString() })
      news.emit('heard')
    },
    restored () {
      told.restored++
      news.emit('restored')
    },
  })
  t.teardown(() => bus.close())
  return {
    bus,
    heard,
    restored: () => told.restored,
    hears: async (count) => { while (heard.length < count) await once(news, 'heard') },
    isRestored: async (count) => { while (told.restored < count) await once(news, 'restored') },
  }
}

/** The contract of every bus. `open` makes nodes of one service. */
export async function busContract (t: Test, open: OpenBus): Promise<void> {
  const say = (ear: Ear, to: NodeId | typeof everyone, text: string): void => { ear.bus.send(to, Buffer.from(text)) }

  await t.test('A message to one node reaches that node and no other', async (t) => {
    const [a, b, c] = [await openEar(t, open), await openEar(t, open), await openEar(t, open)]
    say(a, b.bus.node, 'to b')
    say(a, c.bus.node, 'to c')
    await Promise.all([b.hears(1), c.hears(1)])
    t.same(b.heard, [{ from: a.bus.node, text: 'to b' }])
    t.same(c.heard, [{ from: a.bus.node, text: 'to c' }])
    t.same(a.heard, [])
  })

  await t.test('A message to all nodes reaches them all, including its sender', async (t) => {
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    say(a, everyone, 'hello')
    await Promise.all([a.hears(1), b.hears(1)])
    t.same(a.heard, [{ from: a.bus.node, text: 'hello' }])
    t.same(b.heard, [{ from: a.bus.node, text: 'hello' }])
  })

  await t.test('Messages from one node to another keep their order, however large they are', async (t) => {
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    const texts = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i % 50 === 0 ? 200_000 : i, '.'))
    for (const text of texts) say(a, b.bus.node, text)
    await b.hears(texts.length)
    t.ok(b.heard.every(({ text }, i) => text === texts[i]))
  })

  await t.test('All bytes arrive unchanged even if the sender reuses its buffer, and stay unchanged', async (t) => {
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    a.bus.send(b.bus.node, bytes)
    bytes.fill(0)
    a.bus.send(b.bus.node, new Uint8Array(0))
    await b.hears(2)
    t.equal(b.heard[0]?.text, Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString())
    t.equal(b.heard[1]?.text, '')
  })

  await t.test('A message to a node that has ended is lost without an error', async (t) => {
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    await b.bus.close()
    say(a, b.bus.node, 'nobody hears this')
    say(a, a.bus.node, 'to myself')
    await a.hears(1)
    t.same(b.heard, [])
  })

  await t.test('Messages sent before closing arrive', async (t) => {
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    say(a, b.bus.node, 'goodbye')
    await a.bus.close()
    await b.hears(1)
    t.equal(b.heard[0]?.text, 'goodbye')
    t.doesNotThrow(() => { say(a, b.bus.node, 'too late') })
  })
}
