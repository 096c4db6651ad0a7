import * as Y from 'yjs'
import { AwarenessUpdate, encodeAwareness, type AwarenessEntry } from '../../src/protocol/awareness.ts'
import type { CloseReason } from '../../src/protocol/close-codes.ts'
import { hocuspocusAddress, noAddress } from '../../src/protocol/frame.ts'
import type { ClientMessage } from '../../src/protocol/message.ts'
import type { Logger } from '../../src/logging/logger.ts'
import { hocuspocusProtocol } from '../../src/sessions/hocuspocus-protocol.ts'
import { yWebsocketProtocol } from '../../src/sessions/y-websocket-protocol.ts'
import { Connection, type Member, type Session } from '../../src/sync/connection.ts'
import type { Limits } from '../../src/sync/limits.ts'
import { noOtherNodes } from '../../src/sync/peers/other-nodes.ts'
import { Room } from '../../src/sync/room.ts'
import { Rooms } from '../../src/sync/rooms.ts'
import { FakeSocket } from './fake-socket.ts'
import { InlineWork } from './inline-work.ts'
import { MemoryStore } from './memory-store.ts'
import { decodeHeard, payloadsOf, type Heard } from '../clients/heard.ts'

/** The messages that the test's logger received. */
export interface Log extends Logger { readonly lines: string[] }

export function newLog (): Log {
  const lines: string[] = []
  const note = (_fields: object, line: string): void => { lines.push(line) }
  return { lines, debug: note, info: note, warn: note, error: note }
}

export const limits: Limits = {
  maxDocumentBytes: 0,
  maxDocumentClients: 0,
  maxDocumentDeleteRanges: 0,
  maxAwarenessBytes: 64 * 1024,
  maxUnsavedBytes: 16 * 1024 * 1024,
  maxTickSpacingMs: 50,
  silenceMs: 60_000,
}

/** The engine over a store and workers that the test controls. */
export class Engine {
  /** Buffered bytes above which the sockets of its clients are full */
  readonly maxBufferedBytes: number
  readonly store: MemoryStore
  readonly work = new InlineWork()
  readonly log = newLog()
  readonly rooms: Rooms
  #skewMs = 0
  #isDead = false

  constructor (
    more: Partial<Limits & { maxSocketBufferBytes: number }> = {},
    store = new MemoryStore(),
    otherNodes = noOtherNodes
  ) {
    const { maxSocketBufferBytes = 64 * 1024, ...bounds } = more
    this.maxBufferedBytes = maxSocketBufferBytes
    this.store = store
    this.rooms = new Rooms({
      store: this.#untilDeath(store),
      work: this.work,
      logger: this.log,
      now: this.now,
      limits: { ...limits, ...bounds },
      otherNodes,
    })
  }

  readonly now = (): number => performance.now() + this.#skewMs

  /** Advances the engine's clock. */
  pass (ms: number): void { this.#skewMs += ms }

  /** Simulates a crash: from now on nothing passes between the process and the store. */
  die (): void { this.#isDead = true }

  #untilDeath (store: MemoryStore): MemoryStore {
    const silence = new Promise<never>(() => {})
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return async (...args: unknown[]): Promise<unknown> => {
          if (this.#isDead) return await silence
          try {
            // Every method of a store returns a promise, except list, which the engine does not use.
            return await (member.apply(target, args) as Promise<unknown>)
          } finally {
            if (this.#isDead) await silence
          }
        }
      },
    })
  }

  /** Connects a client; `wire: 'hocuspocus'` selects that protocol. */
  join (name = 'room', options: JoinOptions = {}): Peer {
    const peer = new Peer(this, name, options)
    this.rooms.join(name, peer.connection)
    return peer
  }

  /** Connects a client and requests the whole document. */
  async joinLive (name = 'room', options: JoinOptions = {}): Promise<Peer> {
    const peer = this.join(name, options)
    peer.askFor(new Y.Doc())
    await until(() => peer.all('step2').length > 0)
    return peer
  }
}

export interface JoinOptions extends Partial<Member> {
  readonly wire?: 'y-websocket' | 'hocuspocus'
  /** Reads nothing, from the beginning */
  readonly isDeaf?: boolean
  /** Shared with another document; bytes sent to it are not decoded */
  readonly socket?: FakeSocket
}

/** A client at the other end of a fake socket: it sends messages and records those it receives. */
export class Peer implements Session {
  readonly socket: FakeSocket
  readonly connection: Connection
  readonly heard: Heard[] = []
  closed: CloseReason | undefined
  /** Called with each message as it arrives */
  onHeard: ((heard: Heard) => void) | undefined

  constructor (
    engine: Engine,
    room: string,
    { wire = 'y-websocket', isDeaf = false, socket, canEdit = true, ...member }: JoinOptions
  ) {
    const addressed = wire === 'hocuspocus'
    this.socket = socket ?? new FakeSocket(engine.now, (frames) => {
      for (const payload of payloadsOf(frames)) {
        const heard = decodeHeard(payload, addressed)
        this.heard.push(heard)
        this.onHeard?.(heard)
      }
    }, engine.maxBufferedBytes)
    if (isDeaf) this.socket.stopReading()
    this.connection = new Connection({
      socket: this.socket,
      session: this,
      protocol: addressed ? hocuspocusProtocol : yWebsocketProtocol,
      address: addressed ? hocuspocusAddress(room) : noAddress,
      member: { canEdit, ...member },
    })
  }

  ended (_connection: Connection, reason: CloseReason): void {
    this.closed = reason
    this.socket.close(reason)
  }

  /** Tickets belong to the sessions. */
  async renew (): Promise<void> {}

  say (message: ClientMessage): void {
    this.socket.heard()
    if (this.connection.phase !== 'ended') this.connection.receive(message)
  }

  update (update: Uint8Array): void { this.say({ type: 'update', update }) }
  askFor (doc: Y.Doc): void { this.say({ type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) }) }
  awareness (clientId: number, clock: number, state: unknown): void {
    this.announce([{ clientId, clock, state: JSON.stringify(state) }])
  }

  announce (entries: readonly AwarenessEntry[]): void { this.sendAwareness(encodeAwareness(entries)) }
  sendAwareness (update: Uint8Array): void { this.say({ type: 'awareness', states: new AwarenessUpdate(update) }) }

  /** The room of the connection. @throws if it is in none */
  get room (): Room {
    const { room } = this.connection
    if (!(room instanceof Room)) throw new Error('The connection is in no room')
    return room
  }

  /** Disconnects the client. */
  leave (): void {
    this.connection.leave()
    this.socket.terminate()
  }

  all<Type extends Heard['type']> (type: Type): Array<Extract<Heard, { type: Type }>> {
    return this.heard.filter((heard): heard is Extract<Heard, { type: Type }> => heard.type === type)
  }

  /** A document with every update that was sent to this client. */
  get doc (): Y.Doc {
    const doc = new Y.Doc()
    for (const heard of this.heard) if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(doc, heard.bytes)
    return doc
  }

  get text (): string { return this.doc.getText('text').toString() }

  /** Who is present, as a client that has applied all awareness messages sees it: client id → state. */
  get present (): Record<number, unknown> {
    const present = new Map<number, { clock: number, state: string }>()
    for (const { entries } of this.all('awareness')) {
      for (const { clientId, clock, state } of entries) {
        const known = present.get(clientId)
        if (known === undefined || known.clock < clock || (known.clock === clock && state === 'null')) present.set(clientId, { clock, state })
      }
    }
    return Object.fromEntries([...present].filter(([, { state }]) => state !== 'null').map(([id, { state }]) => [id, JSON.parse(state)]))
  }
}

/** The updates of typing each of these texts in turn. */
export function typing (...texts: string[]): Uint8Array[] {
  const doc = new Y.Doc()
  return texts.map((text) => edited(doc, () => { doc.getText('text').insert(doc.getText('text').length, text) }))
}

/** The update of a change. */
export function edited (doc: Y.Doc, change: () => void): Uint8Array {
  const updates: Uint8Array[] = []
  const note = (update: Uint8Array): void => { updates.push(update) }
  doc.on('update', note)
  doc.transact(change)
  doc.off('update', note)
  return Y.mergeUpdates(updates)
}

/**
 * Lets turns of the event loop pass until the condition holds: the engine needs nothing else to make progress.
 * @throws after `timeoutMs`, which is long enough for a busy machine
 */
export async function until (holds: () => boolean, timeoutMs = 120_000): Promise<void> {
  const from = performance.now()
  while (!holds()) {
    if (performance.now() - from > timeoutMs) throw new Error(`Not so after ${timeoutMs} ms: ${holds}`)
    await turn()
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })
