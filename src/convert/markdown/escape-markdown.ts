import { delimiterRun, paired } from './delimiter-run.ts'
import { MathScanner } from './dollar-math.ts'

/** Decides, together with the text itself, whether a character is escaped. */
export interface TextContext {
  /** Signs that are not escaped, because the paragraph has no two of them that would be read as a pair. */
  lone?: ReadonlySet<string>
  /** Which brackets are not escaped: within other brackets only pairs. */
  brackets: 'all' | 'balanced' | 'none'
  /** Whether GitHub makes links of bare addresses here, as everywhere but within a link. */
  linksAddresses: boolean
  /** Whether more follows in the same paragraph. */
  followed: boolean
  /** Whether every dollar is escaped, because it could pair with one of another run of text. */
  everyDollar?: boolean
}

const anywhere: TextContext = { brackets: 'none', linksAddresses: true, followed: true }
const label: TextContext = { brackets: 'balanced', linksAddresses: false, followed: true }

const special = /[\\`*_~$[\]<&@\r]|:\/\/|www\./i
/** Characters that a backslash escapes. A line break in a prop is written as a reference, which begins with one. */
const escapable = /[!-/:-@[-`{-~\n\r]/
const entity = /&(?:#x[0-9a-f]{1,6}|#\d{1,7}|[a-z][a-z0-9]{1,31});/iy
/** The start of a tag, a comment, an address or a mail address. */
const tag = /<(?:$|[a-z][a-z0-9-]*(?:[\s/>]|$)|\/[a-z]|![a-z[-]|\?|[a-z][a-z0-9+.-]{1,31}:|[\w.!#$%&'*+/=?^`{|}~-]+@)/iy
const mailDomain = /[\w-]+\.[a-z]/iy

/** Escapes what markdown, or GitHub's dialect, would read as marks, links, HTML or entities anywhere in a line. */
export function escapeMarkdown (text: string, context: TextContext = anywhere): string {
  if (!special.test(text)) return text
  const keepsBrackets = context.brackets === 'all' || (context.brackets === 'balanced' && isBalanced(text))
  const lastTagEnd = context.followed ? text.length : text.lastIndexOf('>')
  const math = new MathScanner(text)
  let escaped = ''
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (paired.has(character)) {
      const { end, opens, closes } = delimiterRun(text, index)
      const isMark = (opens || closes) && context.lone?.has(character) !== true
      escaped += (isMark ? '\\' + character : character).repeat(end - index)
      index = end - 1
      continue
    }
    if (character === '$') {
      escaped += context.everyDollar === true || math.at(index) !== undefined ? '\\$' : '$'
      continue
    }
    const needed = character === '[' || character === ']'
      ? !keepsBrackets || text.startsWith('](', index)
      : needsEscape(character, text, index, context, lastTagEnd)
    escaped += needed ? '\\' + character : character === '\r' ? '&#13;' : character
  }
  return escaped
}

function needsEscape (
  character: string,
  text: string,
  index: number,
  { lone, linksAddresses, followed }: TextContext,
  lastTagEnd: number
): boolean {
  const next = text.charAt(index + 1)
  switch (character) {
    case '\\':
      // A letter or a blank at the end can be written as a reference.
      return escapable.test(next) || (index + 3 >= text.length && (followed || /\s/.test(next)))
    case '`':
      return lone?.has(character) !== true
    case '<':
      // A block of HTML needs no end.
      return matchesAt(tag, text, index) && (index === 0 || index < lastTagEnd)
    case '&':
      return matchesAt(entity, text, index)
    case ':':
      return linksAddresses && /^\/\/\S/.test(text.slice(index + 1, index + 4)) && endsInScheme(text, index)
    case '.':
      return linksAddresses && /\S/.test(next) && /(?:^|[\s*_~([\]])www$/i.test(text.slice(Math.max(0, index - 4), index))
    case '@':
      return linksAddresses && /[\w.+-]/.test(text.charAt(index - 1)) && matchesAt(mailDomain, text, index + 1)
    default:
      return false
  }
}

/** The first letter can be written as a reference, so that the next one begins a word. */
function endsInScheme (text: string, end: number): boolean {
  return /(?:^.?|[^a-z])(?:https?|ftp)$/i.test(text.slice(Math.max(0, end - 7), end))
}

/** Whether the brackets of a label pair up, and no pair of them is a link. */
function isBalanced (text: string): boolean {
  let open = 0
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (character === '[') open++
    else if (character === ']' && (--open < 0 || text.charAt(index + 1) === '(')) return false
  }
  return open === 0
}

function matchesAt (pattern: RegExp, text: string, index: number): boolean {
  pattern.lastIndex = index
  return pattern.test(text)
}

/** Escapes a prop for one line of markdown. Line breaks become references, or the next line could begin any block. */
export function escapeProp (text: string): string {
  return escapeInLine(text, anywhere)
}

/** Escapes a prop for the brackets of a link or an image, as `escapeProp`. */
export function escapeLabel (text: string): string {
  return escapeInLine(text, label)
}

/** A line break ends math, but its reference does not, so dollars around it are escaped. */
function escapeInLine (text: string, context: TextContext): string {
  return escapeMarkdown(text, { ...context, everyDollar: text.includes('\n') }).replaceAll('\n', '&#10;')
}

/** A character as a reference, which markdown reads as text and treats as punctuation. */
export function characterReference (character: string): string {
  return `&#${character.codePointAt(0)};`
}

/**
 * Escapes what would make a line of a paragraph a heading, list, quote, rule, fence, table, footnote or setext
 * underline, and keeps a blank at its start, which markdown would drop.
 * @param later whether another line is above: fewer blocks can begin below it, but it can become a heading or a table
 */
export function escapeLineStart (line: string, later = false): string {
  const kept = keepFirstBlank(line)
  if (kept !== line) return kept
  const begins = later ? beginsLater : beginsBlock
  if (begins.some((pattern) => pattern.test(line))) return '\\' + line
  const number = (later ? /^(0*1)[.)]\s/ : /^(\d{1,9})[.)](?:\s|$)/).exec(line)?.[1]
  return number === undefined ? line : `${number}\\${line.slice(number.length)}`
}

const beginsAnywhere = [
  /^>/,
  /^\$\$/,
  /^#{1,6}(?:\s|$)/,
  /^(?:`{3,}[^`]*$|~{3})/,
  /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/,
  /^\[\^(?:\\.|[^\\[\]\s])+\]:/,
]
const beginsBlock = [...beginsAnywhere, /^[-+*](?:\s|$)/]
const beginsLater = [...beginsAnywhere, /^[-+*]\s/, /^(?:=+|-+)[ \t]*$/, /^(?=.*-)[|:-][-:| \t]*$/]

/** Keeps a blank at the start of a line, which markdown would drop. */
export function keepFirstBlank (line: string): string {
  const first = line.charAt(0)
  return /\s/.test(first) ? characterReference(first) + line.slice(1) : line
}

/** Escapes a paragraph that begins like the definition of a link, which would be invisible. */
export function escapeDefinition (markdown: string): string {
  return /^\[(?:\\[^]|[^\\[\]])+\]:/.test(markdown) ? '\\' + markdown : markdown
}

/** Keeps a blank at the end of a paragraph, which markdown would drop. */
export function escapeLineEnd (line: string): string {
  const last = line.charAt(line.length - 1)
  return /\s/.test(last) ? line.slice(0, -1) + characterReference(last) : line
}
