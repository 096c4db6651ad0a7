import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import * as encoding from 'lib0/encoding'
import t from 'tap'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as syncProtocol from 'y-protocols/sync'
import * as Y from 'yjs'
import { AwarenessUpdate, encodeAwareness, maxAwarenessStates } from '../../src/protocol/awareness.ts'
import { decodeHocuspocus, decodeYWebsocket } from '../../src/protocol/decode-message.ts'
import { encodeAuthenticated, encodeAwarenessMessage, encodeHocuspocusDenied, encodeRenewed, encodeStoredAnswer, encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../../src/protocol/encode-message.ts'
import { MalformedMessage } from '../../src/protocol/malformed-message.ts'
import type { ClientMessage } from '../../src/protocol/message.ts'
import { decodeAwareness } from '../clients/heard.ts'
import { rootUrl } from '../root.ts'

const written = (write: (encoder: encoding.Encoder) => void): Uint8Array => encoding.encode(write)

const doc = new Y.Doc()
doc.getText('text').insert(0, 'content')

await t.test('Messages written by y-protocols are decoded, in both protocols', async (t) => {
  const awareness = new Awareness(doc)
  t.teardown(() => { awareness.destroy() })
  awareness.setLocalState({ name: 'ü' })
  const entries = [{ clientId: doc.clientID, clock: 1, state: '{"name":"ü"}' }]
  const cases: Array<[Uint8Array, ClientMessage]> = [
    [written((e) => { encoding.writeVarUint(e, 0); syncProtocol.writeSyncStep1(e, doc) }), { type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) }],
    [written((e) => { encoding.writeVarUint(e, 0); syncProtocol.writeSyncStep2(e, doc) }), { type: 'sync-step-2', update: Y.encodeStateAsUpdate(doc) }],
    [written((e) => { encoding.writeVarUint(e, 0); syncProtocol.writeUpdate(e, Y.encodeStateAsUpdate(doc)) }), { type: 'update', update: Y.encodeStateAsUpdate(doc) }],
    [written((e) => { encoding.writeVarUint(e, 1); encoding.writeVarUint8Array(e, encodeAwarenessUpdate(awareness, [doc.clientID])) }), { type: 'awareness', states: new AwarenessUpdate(encodeAwareness(entries)) }],
    [written((e) => { encoding.writeVarUint(e, 3) }), { type: 'query-awareness' }],
  ]
  for (const [frame, message] of cases) {
    t.same(decodeYWebsocket(frame), message)
    const addressed = written((e) => { encoding.writeVarString(e, 'room\0session'); encoding.writeUint8Array(e, frame) })
    t.same(decodeHocuspocus(addressed), { address: 'room\0session', documentName: 'room', message })
  }
  t.same(decodeAwareness(encodeAwareness(entries)), entries)
})

await t.test('Messages to clients are identical to those of y-protocols', async (t) => {
  t.same(encodeSyncStep1(Y.encodeStateVector(doc)), written((e) => {
    encoding.writeVarUint(e, 0)
    syncProtocol.writeSyncStep1(e, doc)
  }))
  t.same(encodeSyncStep2(Y.encodeStateAsUpdate(doc)), written((e) => {
    encoding.writeVarUint(e, 0)
    syncProtocol.writeSyncStep2(e, doc)
  }))
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
    const bytes = new Uint8Array(size).fill(7)
    t.ok(Buffer.from(encodeUpdate(bytes)).equals(written((e) => { encoding.writeVarUint(e, 0); syncProtocol.writeUpdate(e, bytes) })), `${size} bytes`)
  }
})

await t.test('The messages that y-provider adds have the bytes of docs/protocol.md', async (t) => {
  const docs = readFileSync(new URL('docs/protocol.md', rootUrl), 'utf8')
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').replace(/..(?=.)/g, '$& ')
  const about = (message: Uint8Array): Uint8Array => written((e) => { encoding.writeVarString(e, 'a'); encoding.writeUint8Array(e, message) })
  const ticket = `eyJ${'x'.repeat(177)}`
  const question = written((e) => { encoding.writeVarUint(e, 100); encoding.writeVarUint(e, 7) })
  const renewal = written((e) => { encoding.writeVarUint(e, 101); encoding.writeVarString(e, ticket) })
  const auth = about(written((e) => {
    for (const number of [2, 0]) encoding.writeVarUint(e, number)
    encoding.writeVarString(e, ticket)
  }))
  t.same(decodeYWebsocket(question), { type: 'stored-question', number: 7 })
  t.same(decodeYWebsocket(renewal), { type: 'auth', token: ticket })
  t.same(decodeHocuspocus(auth).message, { type: 'auth', token: ticket })
  for (const end of [1, 2, 3, renewal.length - 1]) {
    t.throws(() => decodeYWebsocket(renewal.subarray(0, end)), MalformedMessage)
  }
  t.throws(() => decodeYWebsocket(Uint8Array.of(...renewal, 0)), MalformedMessage)
  t.throws(() => decodeYWebsocket(Uint8Array.of(101, 2, 0xff, 0xff)), MalformedMessage, 'no UTF-8')

  const start = (bytes: Uint8Array, count: number): string => `${hex(bytes.subarray(0, count))} …`
  const denied = about(encodeHocuspocusDenied('The ticket has expired.'))
  const examples = [...docs.matchAll(/\| `([0-9a-f ]+…?)`/g)].map(([, example]) => example)
  t.same(examples, [
    ...[question, encodeStoredAnswer(7, true), encodeStoredAnswer(7, false)].map(hex),
    start(renewal, 6), ...[encodeRenewed(true), encodeRenewed(false)].map(hex),
    start(auth, 9), ...[true, false].map((canEdit) => hex(about(encodeAuthenticated(canEdit)))), start(denied, 5),
  ])
})

await t.test('All frames that violate the protocol are rejected with one error', async (t) => {
  const good = encodeUpdate(Y.encodeStateAsUpdate(doc))
  const bad = [
    new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0, 9, 0), Uint8Array.of(77), Uint8Array.of(2, 0, 0),
    good.subarray(0, good.length - 1),
    Uint8Array.of(...good, 0),
    Uint8Array.of(0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
    encodeAwarenessMessage(Uint8Array.of(200, 1)),
  ]
  for (const frame of bad) {
    t.throws(() => decodeYWebsocket(frame), MalformedMessage, `${frame}`)
    const addressed = written((e) => { encoding.writeVarString(e, 'room'); encoding.writeUint8Array(e, frame) })
    if (frame[0] !== 2 && frame !== bad[6]) t.throws(() => decodeHocuspocus(addressed), MalformedMessage, `${frame}`)
  }
  const broadcast = written((e) => { encoding.writeVarString(e, 'room'); encoding.writeVarUint(e, 6); encoding.writeVarString(e, 'x') })
  t.throws(() => decodeHocuspocus(broadcast), MalformedMessage)
  t.throws(() => decodeHocuspocus(written((e) => { encoding.writeVarString(e, 'x'.repeat(3000)); encoding.writeVarUint(e, 3) })), MalformedMessage)
})

await t.test('Any bytes are either a message or malformed', async (t) => {
  for (const decode of [decodeYWebsocket, decodeHocuspocus, decodeAwareness]) {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (frame) => {
      try {
        decode(frame)
      } catch (error) {
        return error instanceof MalformedMessage
      }
      return true
    }), { numRuns: 5000 })
  }
  t.pass()
})

await t.test('Awareness states are counted before they are read', async (t) => {
  const states = (count: number): Uint8Array => encodeAwareness(Array.from({ length: count }, (_, i) => ({ clientId: i, clock: 1, state: '{}' })))
  t.equal(decodeAwareness(states(maxAwarenessStates)).length, maxAwarenessStates, 'a room of 5,000 to which all reconnect')
  t.throws(() => decodeYWebsocket(encodeAwarenessMessage(states(maxAwarenessStates + 1))), MalformedMessage)
  t.throws(() => decodeYWebsocket(encodeAwarenessMessage(Uint8Array.of(2, 1, 1, 0, 2, 1))), MalformedMessage, 'more than its bytes can contain')
})

await t.test('An awareness update that ends within a state, or continues after the last one, is malformed', async (t) => {
  const whole = encodeAwareness([{ clientId: 1, clock: 1, state: '{"name":"ü"}' }, { clientId: 2, clock: 1, state: 'null' }])
  for (let end = 0; end < whole.length; end++) t.throws(() => decodeAwareness(whole.subarray(0, end)), MalformedMessage)
  t.throws(() => decodeAwareness(Uint8Array.of(...whole, 0)), MalformedMessage)
  t.throws(() => decodeAwareness(Uint8Array.of(1, 1, 1, 2, 0xff, 0xff)), MalformedMessage, 'no UTF-8')
})
