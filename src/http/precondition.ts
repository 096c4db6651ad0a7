import type { IncomingHttpHeaders } from 'node:http'
import { IfMatchMissing, PreconditionInvalid } from '../errors.ts'

/** One entity tag of a list, weak or strong (RFC 9110, 8.8.3), and the comma after it. */
const tagInList = /\s*(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y

/**
 * The sequences that a header `If-Match` names. The format in a tag and its weakness do not count: a write is for the
 * document, not for its text in a format, and proxies that compress make tags weak. A tag that is none of this
 * service's names no sequence.
 * @returns undefined if there is no header, or it is `*`: any sequence
 * @throws PreconditionInvalid
 */
export function ifMatchOf ({ 'if-match': header }: IncomingHttpHeaders): readonly number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  if (header.trim() === '') throw new PreconditionInvalid('If-Match')
  const sequences: number[] = []
  tagInList.lastIndex = 0
  for (let at = 0; at < header.length; at = tagInList.lastIndex) {
    const tag = tagInList.exec(header)?.[1]
    if (tag === undefined) throw new PreconditionInvalid('If-Match')
    const sequence = /^(\d{1,15})(?:-|$)/.exec(tag)?.[1]
    if (sequence !== undefined) sequences.push(Number(sequence))
  }
  return sequences
}

/**
 * Whether a request creates a document and must not change one: `If-None-Match: *`.
 * @throws PreconditionInvalid for any other value, or together with If-Match
 */
export function mustCreate ({ 'if-none-match': header, 'if-match': ifMatch }: IncomingHttpHeaders): boolean {
  if (header === undefined) return false
  if (header.trim() !== '*') throw new PreconditionInvalid('If-None-Match: a write accepts only *')
  if (ifMatch !== undefined) throw new PreconditionInvalid('If-Match together with If-None-Match')
  return true
}

/**
 * Refuses a condition that only a replacement can have, so that nobody relies on one that is ignored.
 * @throws PreconditionInvalid
 */
export function refuseIfNoneMatch ({ 'if-none-match': header }: IncomingHttpHeaders): void {
  if (header !== undefined) throw new PreconditionInvalid('If-None-Match: only PUT accepts it')
}

/** @throws IfMatchMissing if a write says nothing about the state of the document that it is for */
export function assertPrecondition (headers: IncomingHttpHeaders): void {
  if (headers['if-match'] === undefined && headers['if-none-match'] === undefined) throw new IfMatchMissing()
}
