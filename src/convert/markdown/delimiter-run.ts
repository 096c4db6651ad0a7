/** Signs that markdown, or GitHub's kind of it, reads as marks when two stand around a word. */
export const paired: ReadonlySet<string> = new Set('*_~')

/** Whether a run of equal signs can begin or end what is marked. */
export interface DelimiterRun { end: number, opens: boolean, closes: boolean }

const blank = /\s/
const boundary = /[\s\p{P}\p{S}]/u

/**
 * Reads the run of signs that begins at an index, after CommonMark's rules of flanking.
 * @param before the character before the text: empty for none, undefined when markdown stands there
 * @param after the character after the text, likewise
 */
export function delimiterRun (text: string, start: number, before?: string, after?: string): DelimiterRun {
  const sign = text.charAt(start)
  let end = start + 1
  while (text.charAt(end) === sign) end++
  const left = start > 0 ? neighbour(text, start - 1) : before
  const right = end < text.length ? neighbour(text, end) : after
  // What markdown stands there, and whether half of a pair of surrogates is a letter, is not known to every reader.
  if (left === undefined || right === undefined || isSurrogate(left) || isSurrogate(right)) return { end, opens: true, closes: true }
  const opens = !isBlank(right) && (!isBreak(right) || isBreak(left))
  const closes = !isBlank(left) && (!isBreak(left) || isBreak(right))
  if (sign !== '_') return { end, opens, closes }
  return { end, opens: opens && (!closes || isBreak(left)), closes: closes && (!opens || isBreak(right)) }
}

/** Readers differ beside other signs. A line break, or a blank at an edge, may be written as a reference, which is punctuation. */
function neighbour (text: string, index: number): string | undefined {
  const character = text.charAt(index)
  const isEdge = index === 0 || index === text.length - 1
  return /[*_~\n\r]/.test(character) || (isEdge && isBlank(character)) ? undefined : character
}

function isBlank (character: string): boolean {
  return character === '' || blank.test(character)
}

function isBreak (character: string): boolean {
  return character === '' || boundary.test(character)
}

function isSurrogate (character: string): boolean {
  return /^[\ud800-\udfff]/.test(character)
}
