import * as Y from 'yjs'
import { noAddress } from '../../src/protocol/frame.ts'
import { yWebsocketProtocol } from '../../src/sessions/y-websocket-protocol.ts'
import { Connection } from '../../src/sync/connection.ts'
import type { Rooms } from '../../src/sync/rooms.ts'
import { PartsBudget } from '../../src/sync/parts-budget.ts'
import type { Socket } from '../../src/sync/socket.ts'
import { UnreadAnswers } from '../../src/sync/unread-answers.ts'

/** A socket that takes everything at once. */
class Hole implements Socket {
  readonly buffered = 0
  readonly isFull = false
  readonly taken = 0
  readonly budget = new PartsBudget(performance.now())
  readonly answers = new UnreadAnswers()
  heardAt = performance.now()
  pingedAt = -Infinity
  writtenAt = 0
  write (): void {}
  writeParts (): void {}
  async drained (): Promise<void> {}
  pause (): void {}
  resume (): void {}
  ping (): void { this.heardAt = performance.now() }
  close (): void {}
  terminate (): void {}
}

/** A y-websocket client without a network. */
export class Visitor {
  readonly #socket = new Hole()
  readonly #connection = new Connection({
    socket: this.#socket,
    session: {
      ended () { throw new Error('The engine has ended the connection of a visitor') },
      async renew () {},
    },
    protocol: yWebsocketProtocol,
    address: noAddress,
    member: { canEdit: true },
  })

  /** Resolves when the room is open and has answered: it knows the content of `doc`, and has sent what `doc` lacked. */
  static async join (rooms: Rooms, room: string, doc: Y.Doc = new Y.Doc()): Promise<Visitor> {
    const visitor = new Visitor()
    rooms.join(room, visitor.#connection)
    visitor.#connection.receive({ type: 'sync-step-1', stateVector: Y.encodeStateVector(doc) })
    while (visitor.#connection.phase !== 'live') await new Promise(setImmediate)
    return visitor
  }

  update (update: Uint8Array): void {
    this.#socket.heardAt = performance.now()
    this.#connection.receive({ type: 'update', update })
  }

  leave (): void { this.#connection.leave() }
}
