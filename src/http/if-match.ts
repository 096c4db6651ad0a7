import { ConditionInvalid } from '../errors.ts'

/** One entity tag of a list (RFC 9110, 8.8.3), and the comma after it. */
const nextTag = /^\s*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)")?\s*(?:,|$)/

/** The tag of a document begins with its sequence; the format after it does not matter for a change. */
const sequenceInTag = /^(\d+)(?:-|$)/

/**
 * Reads a header `If-Match` (RFC 9110, 13.1.1) for a document whose tags are those of `entityTagOf`: whether a document
 * at a sequence can be changed. `*` names every sequence. A weak tag names none, and neither does one of another kind.
 * @returns undefined if there is no header
 * @throws ConditionInvalid if it is no list of entity tags
 */
export function readIfMatch (header: string | undefined): ((sequence: number) => boolean) | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return () => true
  const sequences = new Set<number>()
  let tags = 0
  for (let rest = header; rest !== '';) {
    const [whole, weak, tag] = nextTag.exec(rest) ?? []
    if (whole === undefined) throw new ConditionInvalid()
    rest = rest.slice(whole.length)
    if (tag === undefined) continue
    tags++
    const [, sequence] = sequenceInTag.exec(tag) ?? []
    if (weak === undefined && sequence !== undefined) sequences.add(Number(sequence))
  }
  if (tags === 0) throw new ConditionInvalid()
  return (sequence) => sequences.has(sequence)
}
