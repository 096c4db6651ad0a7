/** Signs that markdown, or GitHub's dialect, reads as marks if they surround a word. */
export const paired: ReadonlySet<string> = new Set('*_~')

/** A run of equal signs, and whether it can open or close a mark. */
interface DelimiterRun { end: number, opens: boolean, closes: boolean }

const blank = /\s/
const boundary = /[\s\p{P}\p{S}]/u

/**
 * Reads the run of signs that begins at an index, by CommonMark's rules of flanking.
 * @param before the character before the text; empty if there is none, undefined if other markdown is there
 * @param after the character after the text, likewise
 */
export function delimiterRun (text: string, start: number, before?: string, after?: string): DelimiterRun {
  const sign = text.charAt(start)
  let end = start + 1
  while (text.charAt(end) === sign) end++
  const left = start > 0 ? adjacent(text, start - 1) : before
  const right = end < text.length ? adjacent(text, end) : after
  const isUnsure = left === undefined || right === undefined || isSurrogate(left) || isSurrogate(right)
  // Beside other markdown, and beside half of a surrogate pair, readers differ.
  if (isUnsure) return { end, opens: true, closes: true }
  const opens = !isBlank(right) && (!isBreak(right) || isBreak(left))
  const closes = !isBlank(left) && (!isBreak(left) || isBreak(right))
  if (sign !== '_') return { end, opens, closes }
  return { end, opens: opens && (!closes || isBreak(left)), closes: closes && (!opens || isBreak(right)) }
}

/**
 * The character beside a run. Undefined for another sign, where readers differ, and for a line break or a blank at an
 * edge, which can be written as a reference, which is punctuation.
 */
function adjacent (text: string, index: number): string | undefined {
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
