import { delimiterRun, paired } from './delimiter-run.ts'
import { MathScanner } from './dollar-math.ts'

/** What decides, beside the text itself, whether one of its characters is escaped. */
export interface TextContext {
  /** Signs of which the paragraph has no two that would be read as a pair: they stand as they are. Absent: none. */
  lone?: ReadonlySet<string>
  /** Which brackets stand as they are: within others only those that have a partner. */
  brackets: 'all' | 'balanced' | 'none'
  /** GitHub makes links of bare addresses, but not within a link. */
  linksAddresses: boolean
  /** More follows in the same paragraph. */
  followed: boolean
  /** A dollar may meet one of another run of text. */
  everyDollar?: boolean
}

const anywhere: TextContext = { brackets: 'none', linksAddresses: true, followed: true }
const label: TextContext = { brackets: 'balanced', linksAddresses: false, followed: true }

const special = /[\\`*_~$[\]<&@\r]|:\/\/|www\./i
/** What a backslash takes its meaning from; a line break in a prop is written as a reference. */
const escapable = /[!-/:-@[-`{-~\n\r]/
const entity = /&(?:#x[0-9a-f]{1,6}|#\d{1,7}|[a-z][a-z0-9]{1,31});/iy
/** What follows the `<` of a tag, a comment, an address or a mail address. */
const tag = /<(?:$|[a-z][a-z0-9-]*(?:[\s/>]|$)|\/[a-z]|![a-z[-]|\?|[a-z][a-z0-9+.-]{1,31}:|[\w.!#$%&'*+/=?^`{|}~-]+@)/iy
const mailDomain = /[\w-]+\.[a-z]/iy

/** Escapes what markdown, or GitHub's kind of it, would read as marks, links, HTML or entities, wherever in a line it stands. */
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
      escaped += ((opens || closes) && context.lone?.has(character) !== true ? '\\' + character : character).repeat(end - index)
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

function needsEscape (character: string, text: string, index: number, { lone, linksAddresses, followed }: TextContext, lastTagEnd: number): boolean {
  switch (character) {
    case '\\':
      // A letter or a blank at the end may be written as a reference.
      return escapable.test(text.charAt(index + 1)) || (index + 3 >= text.length && (followed || /\s/.test(text.charAt(index + 1))))
    case '`':
      return lone?.has(character) !== true
    case '<':
      // A block of HTML needs no end.
      return matchesAt(tag, text, index) && (index === 0 || index < lastTagEnd)
    case '&':
      return matchesAt(entity, text, index)
    case ':':
      // The first letter may be written as a reference, so that what follows it begins a word.
      return linksAddresses && /^\/\/\S/.test(text.slice(index + 1, index + 4)) && /(?:^.?|[^a-z])(?:https?|ftp)$/i.test(text.slice(Math.max(0, index - 7), index))
    case '.':
      return linksAddresses && /\S/.test(text.charAt(index + 1)) && /(?:^|[\s*_~([\]])www$/i.test(text.slice(Math.max(0, index - 4), index))
    case '@':
      return linksAddresses && /[\w.+-]/.test(text.charAt(index - 1)) && matchesAt(mailDomain, text, index + 1)
    default:
      return false
  }
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

/** Escapes a prop for one line of markdown: a line break in it is a reference, or it would end the paragraph and begin anything else. */
export function escapeProp (text: string): string {
  return escapeInLine(text, anywhere)
}

/** The same for a prop that stands in the brackets of a link or a picture. */
export function escapeLabel (text: string): string {
  return escapeInLine(text, label)
}

/** A line break ends math, its reference does not: dollars around it are escaped. */
function escapeInLine (text: string, context: TextContext): string {
  return escapeMarkdown(text, { ...context, everyDollar: text.includes('\n') }).replaceAll('\n', '&#10;')
}

/** Any character as a reference, which markdown reads as text and counts as punctuation. */
export function characterReference (character: string): string {
  return `&#${character.codePointAt(0)};`
}

/**
 * Escapes what would make a line of a paragraph a heading, list, quote, rule, fence, table, footnote or setext underline, and
 * keeps a blank at its start, which markdown would drop.
 * @param later a line that another stands above, which fewer blocks interrupt, and which may be what makes that one a header
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
  /^>/, /^\$\$/, /^#{1,6}(?:\s|$)/, /^(?:`{3,}[^`]*$|~{3})/, /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/, /^\[\^(?:\\.|[^\\[\]\s])+\]:/,
]
const beginsBlock = [...beginsAnywhere, /^[-+*](?:\s|$)/]
const beginsLater = [...beginsAnywhere, /^[-+*]\s/, /^(?:=+|-+)[ \t]*$/, /^(?=.*-)[|:-][-:| \t]*$/]

/** Keeps a blank at the start of a line, which markdown would drop. */
export function keepFirstBlank (line: string): string {
  const first = line.charAt(0)
  return /\s/.test(first) ? characterReference(first) + line.slice(1) : line
}

/** A paragraph that begins like the definition of a link, which would show nothing. */
export function escapeDefinition (markdown: string): string {
  return /^\[(?:\\[^]|[^\\[\]])+\]:/.test(markdown) ? '\\' + markdown : markdown
}

/** Keeps a blank at the end of a paragraph, which markdown would drop. */
export function escapeLineEnd (line: string): string {
  const last = line.charAt(line.length - 1)
  return /\s/.test(last) ? line.slice(0, -1) + characterReference(last) : line
}
