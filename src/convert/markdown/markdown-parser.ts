import createMarkdownIt, { type MarkdownIt, type StateBlock } from 'markdown-it'
import { inlineMathRule, mathBlockRule } from './dollar-math.ts'
import { LightStateBlock } from './light-token.ts'
import { maxMarkdownLevel } from '../limits.ts'

/**
 * markdown-it for conversions: CommonMark with tables, strikethrough, math and raw HTML. Addresses stay as they are
 * written. Markers nested too deep are text, where markdown-it would cut the document off.
 */
export const markdownParser = createParser(true)

/** The same parser without raw HTML: tags are text. */
export const plainMarkdownParser = createParser(false)

function createParser (html: boolean): MarkdownIt {
  const parser = createMarkdownIt({ html, maxNesting: maxMarkdownLevel + 20 })
  parser.block.State = LightStateBlock
  parser.inline.ruler.before('emphasis', 'math', inlineMathRule)
  parser.block.ruler.before('fence', 'math', mathBlockRule, { alt: ['paragraph', 'reference', 'blockquote', 'list'] })
  // Text is parsed block by block: the tokens of a whole document take a hundred times its size.
  parser.core.ruler.disable(['inline', 'text_join'])
  // The writers decide which addresses are safe, the same for all inputs.
  parser.validateLink = () => true
  parser.normalizeLink = (url) => url
  parser.normalizeLinkText = (text) => text
  // A footnote is text, not the definition of a link named `^1`.
  restrict(parser, 'reference', [], (state, start) => !state.src.startsWith('[^', lineStart(state, start)))
  const isShallow = (state: StateBlock) => state.level < maxMarkdownLevel
  restrict(parser, 'blockquote', ['paragraph', 'reference', 'blockquote', 'list'], isShallow)
  restrict(parser, 'list', ['paragraph', 'reference', 'blockquote'], isShallow)
  restrict(parser, 'html_block', ['paragraph', 'reference', 'blockquote'], (...at) => !isUnended(...at))
  return parser
}

/** Lets a rule of markdown-it apply only on a condition. @param alternatives the rules that it can interrupt */
function restrict (
  parser: MarkdownIt,
  name: string,
  alternatives: string[],
  condition: (state: StateBlock, start: number, end: number) => boolean
): void {
  const rule = blockRule(parser, name)
  parser.block.ruler.at(
    name,
    (state, start, end, silent) => condition(state, start, end) && rule(state, start, end, silent),
    { alt: alternatives }
  )
}

/** The offset of a line's first character that is no blank. */
function lineStart (state: StateBlock, line: number): number {
  return (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0)
}

function blockRule (parser: MarkdownIt, name: string) {
  const rule = parser.block.ruler.getRules('').find((candidate) => candidate.name === name)
  if (rule === undefined) throw new Error(`markdown-it has no rule ${name}`)
  return rule
}

/** HTML that ends at a sign of its own instead of a blank line. Left open it hides what follows, except for `pre`. */
const signs: ReadonlyArray<{ begin: RegExp, end: RegExp, endsAtBlankLine?: true }> = [
  { begin: /^<(?:script|style|textarea)(?=\s|>|$)/i, end: /<\/(?:script|pre|style|textarea)>/i },
  { begin: /^<!--/, end: /-->/ },
  { begin: /^<\?/, end: /\?>/ },
  { begin: /^<!\[CDATA\[/, end: /\]\]>/ },
  // A `>` behind a blank line is most likely a quote's.
  { begin: /^<![a-z]/i, end: />/, endsAtBlankLine: true },
]

/** The lines in which the search for a sign failed. */
type Unended = Map<RegExp, { from: number, to: number }>

/** Whether the HTML that begins here would extend to the end of its container, because its end is missing. */
function isUnended (state: StateBlock, start: number, last: number): boolean {
  const line = (number: number) => state.src.slice(state.bMarks[number] ?? 0, state.eMarks[number]).trimStart()
  const first = state.src.slice(lineStart(state, start), state.eMarks[start])
  const sign = signs.find(({ begin }) => begin.test(first))
  if (sign === undefined) return false
  const env = state.env as { unended?: Unended }
  const unended = env.unended ??= new Map<RegExp, { from: number, to: number }>()
  const known = unended.get(sign.begin)
  if (known !== undefined && start >= known.from && start < known.to) return true
  const isInside = (at: number) => at === start || (state.sCount[at] ?? 0) >= state.blkIndent || state.isEmpty(at)
  let at = start
  for (; at < last && isInside(at); at++) {
    if (sign.endsAtBlankLine === true && state.isEmpty(at)) break
    if (sign.end.test(line(at))) return false
  }
  unended.set(sign.begin, { from: start, to: at })
  return true
}
