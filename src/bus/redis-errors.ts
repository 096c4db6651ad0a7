import {
  ClientClosedError, ConnectionTimeoutError, ErrorReply, RootNodesUnavailableError, SocketClosedUnexpectedlyError,
  SocketTimeoutError, TimeoutError,
} from 'redis'
import { causesOf, codeOf } from './redis-failure.ts'

/** Redis did not answer in time. */
export class NoAnswer extends Error {
  constructor () {
    super('Redis did not answer in time')
  }
}

/** Error replies that reject this node. */
const rejections: readonly string[] = ['WRONGPASS', 'NOAUTH', 'NOPERM']

/** Node's codes of a server that does not answer, and the reply of a server that is starting. */
const unreachableCodes: readonly string[] = [
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'LOADING',
]

/** The client's errors for a connection that was lost or is too slow. */
const lostConnections = [
  ClientClosedError, ConnectionTimeoutError, SocketClosedUnexpectedlyError, SocketTimeoutError, TimeoutError,
]

const isOneOf = (error: Error, classes: ReadonlyArray<abstract new (...args: never[]) => Error>): boolean =>
  classes.some((each) => error instanceof each)

/** Whether Redis rejects this node, which no retry changes. */
export function isRejection (error: Error): boolean {
  return causesOf(error).some((cause) => rejections.includes(codeOf(cause)))
}

/** Whether a retry can help: Redis is starting, or not reachable yet. */
export function isTransient (error: Error): boolean {
  return 'code' in error || isOneOf(error, lostConnections) || (error instanceof ErrorReply && codeOf(error) === 'LOADING')
}

/** Whether Redis does not answer, which says nothing about the settings. */
export function isUnreachable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return causesOf(error).some((cause) => {
    return unreachableCodes.includes(codeOf(cause)) || isOneOf(
      cause,
      [...lostConnections, RootNodesUnavailableError, NoAnswer]
    )
  })
}
