import type { ConnectionList, ListedConnection } from '../sync/presence/list-connections.ts'

/** The place of a connection in the order of all connections of a room, on all nodes. It never changes. */
export interface Place {
  /** ms since the epoch when the connection was opened */
  readonly since: number
  /** The name of its node */
  readonly node: string
  /** Its place among the connections of its node */
  readonly number: number
}

/** A connection of any node. */
export interface NodeConnection extends ListedConnection, Place {}

/** Connections of a room on one node, in the order of their places. */
export interface NodeConnections extends ConnectionList {
  readonly connections: readonly NodeConnection[]
}

/** Connections of a room on all nodes, in the order of their places. */
export interface ConnectionPage {
  readonly connections: readonly NodeConnection[]
  /** Where the next page begins: after this place; undefined: there are no more */
  readonly next: Place | undefined
}

/** Orders places: the older connection first. */
export function comparePlaces (a: Place, b: Place): number {
  if (a.since !== b.since) return a.since - b.since
  if (a.node !== b.node) return a.node < b.node ? -1 : 1
  return a.number - b.number
}

/** Joins what each node has listed after the same place. @param limit of the connections, at least 1 */
export function joinPages (pages: readonly NodeConnections[], limit: number): ConnectionPage {
  // A node that has more can have them before those that another node has listed.
  const ends = pages.flatMap(({ connections, isComplete }) => isComplete ? [] : connections.slice(-1))
  const sorted = pages.flatMap(({ connections }) => connections).sort(comparePlaces)
  const listed = sorted
    .filter((connection) => ends.every((end) => comparePlaces(connection, end) <= 0))
    .slice(0, limit)
  const isComplete = ends.length === 0 && listed.length === sorted.length
  return { connections: listed, next: isComplete ? undefined : listed.at(-1) }
}

/** A place as text that can stand in a URL. */
export function encodePlace ({ since, node, number }: Place): string {
  return Buffer.from(JSON.stringify([since, number, node])).toString('base64url')
}

/** @returns undefined if the text is not one of `encodePlace` */
export function decodePlace (text: string): Place | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!Array.isArray(parsed)) return undefined
    const [since, number, node] = parsed as unknown[] // any array has such items
    return placeOf({ since, node, number })
  } catch {
    return undefined
  }
}

/** @returns undefined if the value has not the form of a place */
export function placeOf ({ since, node, number }: Readonly<Record<string, unknown>>): Place | undefined {
  const isPlace = isCount(since) && isCount(number) && typeof node === 'string'
  return isPlace ? { since, node, number } : undefined
}

/** @returns undefined if the value has not the form of the connections of a node */
export function nodeConnectionsOf (value: unknown): NodeConnections | undefined {
  if (!isRecord(value)) return undefined
  const { connections, isComplete } = value
  const isPage = Array.isArray(connections) && connections.every(isConnection) && typeof isComplete === 'boolean'
  return isPage && (isComplete || connections.length > 0) ? { connections, isComplete } : undefined
}

function isConnection (value: unknown): value is NodeConnection {
  if (!isRecord(value) || placeOf(value) === undefined) return false
  const { userId, canEdit, protocol, presence } = value
  const isUser = userId === undefined || typeof userId === 'string'
  return isUser && typeof canEdit === 'boolean' && typeof protocol === 'string' &&
    Array.isArray(presence) && presence.every((client) => isRecord(client) && isCount(client['clientId']))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  return typeof value === 'object' && value !== null
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
