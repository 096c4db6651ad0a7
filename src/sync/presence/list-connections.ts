import type { Connection } from '../connection.ts'
import type { WireProtocol } from '../wire-protocol.ts'
import type { AwarenessTable, Presence, StateSender } from './awareness-table.ts'

/** A connection as a list shows it. */
export interface ListedConnection {
  readonly userId: string | undefined
  readonly canEdit: boolean
  /** ms since the epoch when it was opened */
  readonly since: number
  /** Its place among all connections that this process has opened */
  readonly number: number
  readonly protocol: WireProtocol['name']
  readonly presence: readonly PresentClient[]
}

/** What a client has published about itself. */
export interface PresentClient {
  /** Yjs client id */
  readonly clientId: number
  /** Its awareness state: any JSON value but null */
  readonly state: unknown
}

/** Some connections of a room. */
export interface ConnectionList {
  /** The oldest first */
  readonly connections: readonly ListedConnection[]
  /** Whether they are all that were wanted */
  readonly isComplete: boolean
}

/** Bytes of awareness states in one list, unless its first connection has more: 1,000 cursors of 200 bytes fit. */
const maxStateBytes = 256 * 1024
/** Levels of a state that is listed; parsers of JSON, Python's too, fail at about a thousand. */
const maxStateDepth = 100

const none: readonly Presence[] = []

/**
 * Lists connections and who is present in each, the oldest first. A list ends before it has too many or too large
 * states, so that it takes a few ms.
 * @param limit of the connections, at least 1
 */
export function listConnections (
  { connections, awareness }: { readonly connections: ReadonlySet<Connection>, readonly awareness: AwarenessTable },
  isWanted: (connection: Connection) => boolean,
  limit: number
): ConnectionList {
  const wanted = [...connections].filter(isWanted).sort(byAge)
  const presences = bySender(awareness.present())
  const listed: ListedConnection[] = []
  let bytes = 0
  for (const connection of wanted.slice(0, limit)) {
    const presence = presences.get(connection) ?? none
    bytes += presence.reduce((sum, { stateBytes }) => sum + stateBytes, 0)
    if (bytes > maxStateBytes && listed.length > 0) break
    listed.push(describe(connection, presence))
  }
  return { connections: listed, isComplete: listed.length === wanted.length }
}

const byAge = (a: Connection, b: Connection): number => a.openedAt - b.openedAt || a.number - b.number

function bySender (presences: readonly Presence[]): ReadonlyMap<StateSender, readonly Presence[]> {
  const bySender = new Map<StateSender, Presence[]>()
  for (const presence of presences) {
    if (presence.sender === undefined) continue
    const own = bySender.get(presence.sender)
    if (own === undefined) bySender.set(presence.sender, [presence])
    else own.push(presence)
  }
  return bySender
}

function describe (
  { userId, canEdit, openedAt, number, protocol }: Connection,
  presences: readonly Presence[]
): ListedConnection {
  const presence = presences.filter(({ state }) => !isDeep(state)).map(({ clientId, state }) => {
    return { clientId, state: JSON.parse(state) as unknown }
  })
  return { userId, canEdit, since: openedAt, number, protocol: protocol.name, presence }
}

/** Whether arrays and objects of a JSON text lie deeper in each other than is listed. */
function isDeep (json: string): boolean {
  let depth = 0
  let isInText = false
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (isInText) {
      if (character === '\\') at++
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > maxStateDepth) return true
  }
  return false
}
