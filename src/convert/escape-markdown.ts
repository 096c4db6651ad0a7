import { MathScanner } from './dollar-math.ts'

const special = /[\\`*_[\]<&~!$\r]/
const word = /[\p{L}\p{N}]/u
const entity = /&(?:#\w{1,8}|\w{2,31});/y

/**
 * Escapes the characters of a run of text that markdown would read as marks, links, math, HTML or entities, wherever in a
 * line they stand.
 * @param everyDollar where a dollar may meet one of another run
 */
export function escapeMarkdown (text: string, everyDollar = false): string {
  if (!special.test(text)) return text
  const math = new MathScanner(text)
  let escaped = ''
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    const escape = character === '$' ? everyDollar || math.at(index) !== undefined : needsEscape(character, text, index)
    escaped += escape ? '\\' + character : character === '\r' ? '&#13;' : character
  }
  return escaped
}

function needsEscape (character: string, text: string, index: number): boolean {
  switch (character) {
    case '\\': case '`': case '*': case '[': case ']':
      return true
    case '<':
      // What begins neither a tag nor an address is text; what follows the run may.
      return index === text.length - 1 || /[a-z/!?]/i.test(text.charAt(index + 1))
    case '_':
      // Within a word, as in snake_case, an underscore is never a mark.
      return !(word.test(text.charAt(index - 1)) && word.test(text.charAt(index + 1)))
    case '~':
      return index === 0 || index === text.length - 1 || text[index - 1] === '~' || text[index + 1] === '~'
    case '!':
      // What follows the run may be a link.
      return index === text.length - 1
    case '&':
      entity.lastIndex = index
      return entity.test(text)
    default:
      return false
  }
}

/** Escapes a prop for one line of markdown: a line break in it is a reference, or it would end the paragraph and begin anything else. */
export function escapeProp (text: string): string {
  return escapeMarkdown(text).replaceAll('\n', '&#10;')
}

/** Any character as a reference, which markdown reads as text and counts as punctuation. */
export function characterReference (character: string): string {
  return `&#${character.codePointAt(0)};`
}

/**
 * Escapes what would make a line of a paragraph a heading, list, quote, rule, table or setext underline, and keeps a blank
 * at its start, which markdown would drop.
 */
export function escapeLineStart (line: string): string {
  const first = line.charAt(0)
  if (/\s/.test(first)) return characterReference(first) + line.slice(1)
  if (first === '>' || line.startsWith('$$') || /^(?:#{1,6}|[-+])(?:\s|$)/.test(line) || /^(?:=+|-+)\s*$/.test(line)) return '\\' + line
  const number = /^(\d{1,9})[.)](?:\s|$)/.exec(line)?.[1]
  if (number !== undefined) return `${number}\\${line.slice(number.length)}`
  // The row under a table's header: anything above it would become the header.
  if (/^[|:-][-:| \t]*$/.test(line)) return '\\' + line
  return line
}

/** Keeps a blank at the end of a paragraph, which markdown would drop. */
export function escapeLineEnd (line: string): string {
  const last = line.charAt(line.length - 1)
  return /\s/.test(last) ? line.slice(0, -1) + characterReference(last) : line
}
