import { once } from 'node:events'
import { encodeAwareness } from '../../src/protocol/awareness.ts'
import { encodeAwarenessMessage, encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { hocuspocusAddress } from '../../src/protocol/frame.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import t from 'tap'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { asDjango, listen } from '../helper.ts'
import { when } from '../clients/changes.ts'
import { synced } from '../clients/client.ts'
import { eventually } from '../clients/eventually.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

/*
 * Mutated frames of both protocols, sent to a running service. Y_PROVIDER_FUZZ_FRAMES sets their number (10,000),
 * Y_PROVIDER_SEED repeats a run.
 */
const frames = Number(process.env['Y_PROVIDER_FUZZ_FRAMES'] ?? 3000)
const seed = Number(process.env['Y_PROVIDER_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

let state = seed
function next (below: number): number {
  state = Math.imul(state, 1664525) + 1013904223 >>> 0
  return Math.floor(state / 2 ** 32 * below)
}

/** Valid frames, from which invalid ones are made. */
function corpus (): Buffer[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => { updates.push(update) })
  doc.getText('text').insert(0, 'some text', { bold: true })
  doc.getText('text').insertEmbed(3, { image: 'x' })
  doc.getMap('map').set('key', { nested: [1, 2.5, null, 'ü', new Uint8Array([1, 2])] })
  doc.getArray('array').push([new Y.Map([['a', 1]]), [2n ** 60n], new Y.Doc()])
  doc.getXmlFragment('xml').push([new Y.XmlElement('p'), new Y.XmlText('text')])
  doc.getText('text').delete(2, 4)
  const awareness = encodeAwareness([{ clientId: 5, clock: 1, state: '{"name":"ü","cursor":{"at":1}}' }, { clientId: 6, clock: 2, state: 'null' }])
  const whole = Y.encodeStateAsUpdate(doc)
  return [
    ...[...updates, whole].map(encodeUpdate), encodeSyncStep2(whole), encodeSyncStep2(Uint8Array.of(0, 0)),
    encodeSyncStep1(Y.encodeStateVector(doc)),
    encodeSyncStep1(Uint8Array.of(0)),
    encodeAwarenessMessage(awareness),
    Uint8Array.of(3),
  ].map((message) => Buffer.from(message))
}

/** The longest number that still fits */
const longestNumber = Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 127])
const interesting = [0, 1, 2, 4, 9, 63, 64, 126, 127, 128, 129, 192, 254, 255]

function mutated (good: Buffer, others: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(good)
  for (let times = 1 + next(4); times > 0; times--) {
    const at = next(bytes.length + 1)
    switch (next(8)) {
      case 0: bytes = bytes.subarray(0, at); break
      case 1: bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([next(256)]), bytes.subarray(at)]); break
      case 2: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + next(4))]); break
      case 3: bytes = Buffer.concat([bytes.subarray(0, at), others[next(others.length)]!.subarray(next(20))]); break
      case 4: bytes = Buffer.concat([bytes.subarray(0, at), longestNumber, bytes.subarray(at)]); break
      default: if (at < bytes.length) bytes[at] = next(2) === 0 ? next(256) : interesting[next(interesting.length)]!
    }
  }
  return bytes
}

/** Sends the bytes of one connection until the service has processed them or has closed. */
async function throwAt (url: string, frames: readonly Buffer[]): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers: asDjango, perMessageDeflate: false })
  let code: number | undefined
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(([with_]: number[]) => { code = with_ })
  await once(socket, 'open')
  for (const frame of frames) socket.send(frame)
  // Frames are processed in order, so the answer to a ping means that all before it were.
  socket.ping()
  await Promise.race([closed, once(socket, 'pong')])
  socket.terminate()
  await closed
  return code
}

await t.test(`${frames} mutated frames, seed ${seed}`, async (t) => {
  const lines: string[] = []
  const { app, url, wsUrl } = await listen(t, { LOG_LEVEL: 'error' }, { write: (line) => { lines.push(line) } })
  const [a, b] = [connectYWebsocket(t, wsUrl, 'quiet'), connectYWebsocket(t, wsUrl, 'quiet')]
  await synced(a, b)
  const good = corpus()
  const address = hocuspocusAddress('fuzzed').bytes
  const codes = new Map<number | undefined, number>()
  for (let thrown = 0, round = 0; thrown < frames; round++) {
    const isHocuspocus = round % 2 === 1
    const count = 1 + next(8)
    const batch = Array.from({ length: count }, () => {
      const frame = good[next(good.length)]!
      if (next(6) === 0) return isHocuspocus ? Buffer.concat([address, frame]) : frame
      if (!isHocuspocus) return mutated(frame, good)
      if (next(3) === 0) return mutated(Buffer.concat([address, frame]), good)
      return Buffer.concat([address, mutated(frame, good)])
    })
    // Step 1 opens a document of Hocuspocus; without it the frames would only wait.
    if (isHocuspocus && next(8) > 0) batch.unshift(Buffer.concat([address, encodeSyncStep1(Uint8Array.of(0))]))
    const code = await throwAt(`${wsUrl}/collaboration/ws/${isHocuspocus ? '?room=fuzzed' : 'fuzzed'}`, batch)
    codes.set(code, (codes.get(code) ?? 0) + 1)
    thrown += count
    if (round % 100 === 0) a.doc.getArray('array').push([round])
  }
  t.comment(`closed with ${[...codes].map(([code, times]) => `${code}: ${times}`).join(', ')}`)
  a.doc.getText('text').insert(0, 'undisturbed')
  await when([b], () => b.doc.getText('text').toString() === 'undisturbed' && b.doc.getArray('array').length === a.doc.getArray('array').length)
  t.same([...a.closes, ...b.closes], [], 'another room is not affected')
  t.equal((await fetch(`${url}/health/ready`)).status, 200, 'the process is running')
  t.same(lines, [], 'and has logged no fault of its own')

  const late = connectYWebsocket(t, wsUrl, 'fuzzed')
  await synced(late)
  t.pass('the attacked room opens')
  await eventually(() => app.rooms.unsavedBytes === 0)
  let stored = 0
  for await (const { document } of app.store.list()) {
    const found = await app.store.load(document)
    const updates = found?.log.map(({ update }) => update) ?? []
    for (let index = 0; index < (found?.snapshot?.pieces ?? 0); index++) {
      updates.push(await app.store.readPiece(document, found!.snapshot!.generation, index) ?? new Uint8Array(0))
    }
    for (const update of updates) {
      scanUpdate(update)
      Y.decodeUpdate(update)
      stored++
    }
  }
  t.ok(stored > 0, `${stored} stored updates, all of which decode`)
})
