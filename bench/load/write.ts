import { pushVarString, pushVarUint } from './bytes.ts'

const root = 'text'

/**
 * The update of a client that types one more character after its last one.
 * @param client Yjs client id
 * @param clock how many characters it typed before
 * @returns a Yjs update, format 1: one struct, no deletions
 */
export function typeCharacter (client: number, clock: number): Uint8Array {
  const bytes = [1, 1]
  pushVarUint(bytes, client)
  pushVarUint(bytes, clock)
  if (clock === 0) {
    // String content in the root type: no origin, so its parent is written out.
    bytes.push(0x04, 1)
    pushVarString(bytes, root)
  } else {
    bytes.push(0x84)
    pushVarUint(bytes, client)
    pushVarUint(bytes, clock - 1)
  }
  bytes.push(1, 97 + clock % 26, 0)
  return Uint8Array.from(bytes)
}

/**
 * The awareness update of an editor whose cursor moved.
 * @param clock grows by one with each state of this client
 */
export function moveCursor (client: number, clock: number): Uint8Array {
  const position = { type: null, tname: root, item: { client, clock }, assoc: 0 }
  const state = { user: { name: `Writer ${client % 1000}`, color: '#30bced' }, cursor: { anchor: position, head: position } }
  const bytes = [1]
  pushVarUint(bytes, client)
  pushVarUint(bytes, clock)
  pushVarString(bytes, JSON.stringify(state))
  return Uint8Array.from(bytes)
}
