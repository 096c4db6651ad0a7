/** Renewals that coincide with a reset, a recheck, another renewal, or messages after them. */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import type { Verdict } from '../../src/access/verdict.ts'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import { openBare, type BareClient } from '../clients/bare-client.ts'
import { connect } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { about, bytes, read } from '../clients/messages.ts'

/** Holds verdicts about renewals back until they are released. */
function hold (app: FastifyInstance): { readonly length: number, release (): void } {
  const held: Array<() => void> = []
  const { authoriseRenewal } = app.authoriser
  app.authoriser.authoriseRenewal = async (...args) => {
    const verdict = await authoriseRenewal(...args)
    return await new Promise<Verdict>((resolve) => { held.push(() => { resolve(verdict) }) })
  }
  return { get length () { return held.length }, release: () => { for (const release of held.splice(0)) release() } }
}

async function reset (app: FastifyInstance, user: string): Promise<void> {
  await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=r', headers: { ...asDjango, 'x-user-id': user } })
}

/** A bare client of either protocol, and how it sends a ticket. */
interface Joined {
  readonly wire: BareClient
  say (...parts: Array<number | string | Uint8Array>): void
  renew (ticket: string): void
}

/** Connects to the room `r`. */
async function join (t: Test, wsUrl: string, isHocuspocus: boolean, ticket: string): Promise<Joined> {
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/${isHocuspocus ? '?room=r' : `r?token=${ticket}`}`)
  const say = (...parts: Array<number | string | Uint8Array>): void => {
    wire.ws.send(isHocuspocus ? about('r', bytes(...parts)) : about('', bytes(...parts)).subarray(1))
  }
  if (isHocuspocus) say(2, 0, ticket)
  await wire.until(({ heard }) => heard.length > 0)
  return { wire, say, renew: (ticket) => { if (isHocuspocus) say(2, 0, ticket); else say(101, ticket) } }
}

/** The access messages of the service, in order: the last byte of 101, or the scope of a Hocuspocus document */
const answers = ({ heard }: BareClient, isHocuspocus: boolean): string[] => heard.flatMap((message) => {
  if (!isHocuspocus) return message[0] === 101 ? [message[1] === 1 ? 'read-write' : 'readonly'] : []
  const { type, rest } = read(message)
  return type === 2 ? [Buffer.from(rest.slice(2)).toString()] : []
})

for (const isHocuspocus of [false, true]) {
  const protocol = isHocuspocus ? 'Hocuspocus' : 'y-websocket'

  t.test(`${protocol}: a reset while a ticket is being checked ends the connection with 4205`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const ticket = await mint('r', { user_id: 'u' })
    const { wire, renew } = await join(t, wsUrl, isHocuspocus, ticket)
    const held = hold(app)
    renew(await mint('r', { user_id: 'u', can_edit: true }))
    await eventually(() => held.length === 1)
    await reset(app, 'u')
    held.release()
    await wire.until(({ closed }) => closed !== undefined)
    t.equal(wire.closed?.code, 4205)
    t.notOk(answers(wire, isHocuspocus).includes('read-write'))
    t.equal(app.rooms.count('r', ''), undefined)
  })

  t.test(`${protocol}: a verdict from before a reset that did not reach the connection is discarded`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const { wire, renew } = await join(t, wsUrl, isHocuspocus, await mint('r', { user_id: 'u' }))
    const held = hold(app)
    renew(await mint('r', { user_id: 'u', can_edit: true }))
    await eventually(() => held.length === 1)
    app.epochs.reset('r', 'u')
    held.release()
    await wire.until(({ closed }) => closed !== undefined)
    t.equal(wire.closed?.code, 4205)
  })

  t.test(`${protocol}: tickets sent at once take effect in order, and messages after them wait`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const { wire, say, renew } = await join(t, wsUrl, isHocuspocus, await mint('r', { user_id: 'u' }))
    const held = hold(app)
    renew(await mint('r', { user_id: 'u', can_edit: true }))
    renew(await mint('r', { user_id: 'u', can_edit: false }))
    say(0, 0, Uint8Array.of(0))
    await eventually(() => held.length === 1)
    const before = wire.heard.length
    held.release()
    await eventually(() => held.length === 1)
    held.release()
    await wire.until(({ heard }) => heard.length >= before + 3)
    t.same(answers(wire, isHocuspocus).slice(-2), ['read-write', 'readonly'])
    const types = wire.heard.slice(before).map((message) => isHocuspocus ? read(message).type : message[0])
    t.same(types.slice(0, 3), isHocuspocus ? [2, 2, 0] : [101, 101, 0], 'the question after the tickets is answered last')
    t.equal(app.rooms.count('r', '')?.count, 0)
  })

  t.test(`${protocol}: a flood of tickets is closed with 4529, and other clients are not affected`, async (t) => {
    const { wsUrl } = await listen(t)
    const bystander = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    await bystander.synced()
    const { wire, renew } = await join(t, wsUrl, isHocuspocus, await mint('r', { user_id: 'u' }))
    const tickets = await Promise.all(['a', 'b'].map((session) => mint('r', { user_id: 'u', session_key: session })))
    for (let i = 0; i < 5000; i++) renew(tickets[i % 2] ?? '')
    await wire.until(({ closed }) => closed !== undefined)
    t.equal(wire.closed?.code, 4529)
    // partsAtOnce / partsOfTicket, and what was refilled meanwhile
    const accepted = answers(wire, isHocuspocus).length
    t.ok(accepted >= 500 && accepted < 2000, `${accepted} were accepted`)
    t.same(bystander.record.closes, [])
  })
}

t.test('Hocuspocus: a token that is sent while an earlier one is being checked is a renewal', async (t) => {
  const { app, wsUrl } = await listen(t)
  const wire = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`)
  const { authoriseAuthMessage } = app.authoriser
  let release = (): void => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  app.authoriser.authoriseAuthMessage = async (...args) => {
    await released
    return await authoriseAuthMessage(...args)
  }
  wire.ws.send(about('r', bytes(2, 0, await mint('r', { user_id: 'u' }))))
  wire.ws.send(about('r', bytes(2, 0, await mint('r', { user_id: 'u', can_edit: true }))))
  await new Promise((resolve) => { wire.ws.once('pong', resolve).ping() })
  release()
  await wire.until(() => answers(wire, true).at(-1) === 'read-write')
  t.same(answers(wire, true), ['readonly', 'read-write'])
})

t.test('Hocuspocus: a document that was left by mistake is opened again with the last ticket', async (t) => {
  const { wsUrl } = await listen(t)
  const { wire, say, renew } = await join(t, wsUrl, true, await mint('r', { user_id: 'u' }))
  renew(await mint('r', { user_id: 'u', can_edit: true }))
  await wire.until(() => answers(wire, true).length === 2)
  say(7, 'bye')
  say(3)
  await wire.until(() => answers(wire, true).length === 3)
  t.same(answers(wire, true), ['readonly', 'read-write', 'read-write'])
})

t.test('Hocuspocus: the same token again, or none, is answered at no cost', async (t) => {
  const { app, wsUrl } = await listen(t)
  const ticket = await mint('r', { user_id: 'u' })
  const { wire, renew } = await join(t, wsUrl, true, ticket)
  const held = hold(app)
  for (const token of [ticket, '', ticket]) renew(token)
  await wire.until(() => answers(wire, true).length === 4)
  t.same([answers(wire, true), held.length], [['readonly', 'readonly', 'readonly', 'readonly'], 0])
})

t.test('Hocuspocus: a change sent after a ticket is judged by that ticket, even if the client has left the document', async (t) => {
  const { app, wsUrl } = await listen(t)
  const held = hold(app)
  for (const [i, canEdit] of [true, false].entries()) {
    const { wire, say, renew } = await join(t, wsUrl, true, await mint('r', { user_id: 'u', can_edit: !canEdit }))
    const ticket = await mint('r', { user_id: 'u', can_edit: canEdit })
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x')
    const { _socket: stream } = wire.ws as unknown as { _socket: Socket } // where ws keeps it
    // In one chunk: the service stops reading at the ticket.
    stream.cork()
    renew(ticket)
    say(0, 2, Y.encodeStateAsUpdate(doc))
    say(7, 'bye')
    stream.uncork()
    await eventually(() => held.length === 1 && app.rooms.size('r') === 0)
    held.release()
    await eventually(() => app.rooms.counters.updates === 1 && app.rooms.counters.refused === i)
    t.same(answers(wire, true).length, 1, 'and the client is not notified')
  }
})
