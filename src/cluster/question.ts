import { nodeConnectionsOf, placeOf, type NodeConnections, type Place } from './connection-page.ts'

/** Connections of a room that can edit, and whether one of them belongs to a session. */
export interface Count {
  readonly count: number
  readonly exists: boolean
}

/** What nodes ask each other, and how each question is answered. */
export interface QuestionTypes {
  /**
   * Closes the connections of a room, or of one user in it, and forgets their access decisions. The answer is
   * how many were closed; undefined: the node has started after the reset, and has nothing to close.
   */
  readonly reset: {
    readonly question: { readonly type: 'reset', readonly room: string, readonly userId: string | undefined }
    readonly answer: number | undefined
  }
  /** Counts the connections of a room that can edit; the answer is undefined if nobody is in it. */
  readonly count: {
    readonly question: { readonly type: 'count', readonly room: string, readonly sessionKey: string }
    readonly answer: Count | undefined
  }
  /** Counts the connections of rooms. The answer has one number for each room, in their order. */
  readonly sizes: {
    readonly question: { readonly type: 'sizes', readonly rooms: readonly string[] }
    readonly answer: readonly number[] | undefined
  }
  /**
   * Lists the connections of a room after a place (undefined: from the first one), and who is present in each. The
   * node can answer with fewer than `limit`.
   */
  readonly connections: {
    readonly question: {
      readonly type: 'connections'
      readonly room: string
      readonly after: Place | undefined
      readonly limit: number
    }
    readonly answer: NodeConnections | undefined
  }
  /**
   * Closes the room of a document that was deleted; `upTo` is its last sequence number, so that the room of a later
   * document stays; 0: it is not known, and the room looks into the store. The answer is how many connections were
   * closed at once; undefined: the node has started after the deletion.
   */
  readonly delete: {
    readonly question: { readonly type: 'delete', readonly room: string, readonly upTo: number }
    readonly answer: number | undefined
  }
}

/** Any question. */
export type Question = QuestionTypes[keyof QuestionTypes]['question']
/** The answer to a question. */
export type AnswerTo<Asked extends Question> = QuestionTypes[Asked['type']]['answer']

/** Answers the questions of other nodes. */
export interface Answerer {
  reset (room: string, userId: string | undefined): number
  count (room: string, sessionKey: string): Count | undefined
  sizes (rooms: readonly string[]): readonly number[]
  connections (room: string, after: Place | undefined, limit: number): NodeConnections
  delete (room: string, upTo: number): number
}

/** A question as it arrives: it can have been asked before this node could be reached. */
export interface ReceivedQuestion {
  readonly question: Question
  /** ms since it was asked */
  readonly ageMs: number
}

/** A question or an answer that does not have the form of its type. */
class MalformedQuestion extends Error {
  override readonly name = 'MalformedQuestion'
}

/** Encodes a question as JSON. */
export const encodeQuestion = ({ question, ageMs }: ReceivedQuestion): string => JSON.stringify({ ...question, ageMs })

/** @throws MalformedQuestion */
export function decodeQuestion (body: string): ReceivedQuestion {
  const { type, room, userId, sessionKey, upTo, ageMs = 0, rooms, after, limit } = parseObject(body)
  if (type === 'sizes' && areTexts(rooms)) return { question: { type, rooms }, ageMs: 0 }
  if (typeof room !== 'string' || typeof ageMs !== 'number') throw new MalformedQuestion('A question without a room')
  if (type === 'reset' && (userId === undefined || typeof userId === 'string')) {
    return { question: { type, room, userId }, ageMs }
  }
  if (type === 'count' && typeof sessionKey === 'string') return { question: { type, room, sessionKey }, ageMs }
  if (type === 'connections' && typeof limit === 'number') {
    return { question: { type, room, after: after === undefined ? undefined : readPlace(after), limit }, ageMs }
  }
  if (type === 'delete' && typeof upTo === 'number') return { question: { type, room, upTo }, ageMs }
  throw new MalformedQuestion('A question of an unknown type')
}

function readPlace (value: unknown): Place {
  const place = placeOf(objectOf(value))
  if (place === undefined) throw new MalformedQuestion('A malformed place')
  return place
}

const areTexts = (value: unknown): value is readonly string[] => {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

const areNumbers = (value: unknown): value is readonly number[] => {
  return Array.isArray(value) && value.every((item) => typeof item === 'number')
}

/** Encodes an answer as JSON. */
export const encodeAnswer = (answer: AnswerTo<Question>): string => JSON.stringify(answer ?? null)

/** By the type of the question; null stands for undefined. */
const answerDecoders: { readonly [Type in keyof QuestionTypes]: (answer: unknown) => QuestionTypes[Type]['answer'] } = {
  reset: (answer) => {
    if (answer === null) return undefined
    if (typeof answer !== 'number') throw new MalformedQuestion('A reset was not answered with a number')
    return answer
  },
  count: (answer) => {
    if (answer === null) return undefined
    const { count, exists } = objectOf(answer)
    if (typeof count !== 'number' || typeof exists !== 'boolean') throw new MalformedQuestion('A malformed count')
    return { count, exists }
  },
  sizes: (answer) => {
    if (answer === null) return undefined
    if (!areNumbers(answer)) throw new MalformedQuestion('Sizes that are not numbers')
    return answer
  },
  connections: (answer) => {
    if (answer === null) return undefined
    const listed = nodeConnectionsOf(answer)
    if (listed === undefined) throw new MalformedQuestion('A malformed list of connections')
    return listed
  },
  delete: (answer) => {
    if (answer === null) return undefined
    if (typeof answer !== 'number') throw new MalformedQuestion('A deletion was not answered with a number')
    return answer
  },
}

/** @throws MalformedQuestion if the answer is not one to this type of question */
export function decodeAnswer<Type extends keyof QuestionTypes> (type: Type, body: string): QuestionTypes[Type]['answer'] {
  return answerDecoders[type](parse(body))
}

function parse (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new MalformedQuestion('A body that is not JSON')
  }
}

const parseObject = (body: string): Readonly<Record<string, unknown>> => objectOf(parse(body))

function objectOf (value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new MalformedQuestion('A body that is not an object')
  return value as Readonly<Record<string, unknown>> // any object has such properties
}
