import createMarkdownIt, { type MarkdownIt, type StateBlock } from 'markdown-it'
import { inlineMathRule, mathBlockRule } from './dollar-math.ts'
import { LightStateBlock } from './light-token.ts'
import { maxMarkdownLevel } from '../limits.ts'

/**
 * markdown-it as conversion uses it: CommonMark with tables, strikethrough and math, raw HTML recognised, addresses left as they
 * are written. Where it would cut a document that nests too deep, the markers are text instead.
 */
export const markdownParser = createParser(true)

/** The same without raw HTML: tags are text. */
export const plainMarkdownParser = createParser(false)

function createParser (html: boolean): MarkdownIt {
  const parser = createMarkdownIt({ html, maxNesting: maxMarkdownLevel + 20 })
  parser.block.State = LightStateBlock
  parser.inline.ruler.before('emphasis', 'math', inlineMathRule)
  parser.block.ruler.before('fence', 'math', mathBlockRule, { alt: ['paragraph', 'reference', 'blockquote', 'list'] })
  // Text is parsed when it is reached: the tokens of a whole document take a hundred times its size.
  parser.core.ruler.disable(['inline', 'text_join'])
  // Which addresses are safe is decided where they are written, the same for all inputs.
  parser.validateLink = () => true
  parser.normalizeLink = (url) => url
  parser.normalizeLinkText = (text) => text
  // A footnote is text, not the definition of a link named `^1`.
  const definition = blockRule(parser, 'reference')
  parser.block.ruler.at('reference', (state, start, end, silent) =>
    !state.src.startsWith('[^', (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0)) && definition(state, start, end, silent))
  for (const [name, alternatives] of [['blockquote', ['paragraph', 'reference', 'blockquote', 'list']], ['list', ['paragraph', 'reference', 'blockquote']]] as const) {
    const rule = blockRule(parser, name)
    parser.block.ruler.at(name, (state, start, end, silent) => state.level < maxMarkdownLevel && rule(state, start, end, silent), { alt: [...alternatives] })
  }
  const htmlBlock = blockRule(parser, 'html_block')
  parser.block.ruler.at('html_block', (state, start, end, silent) => !isUnended(state, start, end) && htmlBlock(state, start, end, silent), {
    alt: ['paragraph', 'reference', 'blockquote'],
  })
  return parser
}

function blockRule (parser: MarkdownIt, name: string) {
  const rule = parser.block.ruler.getRules('').find((candidate) => candidate.name === name)
  if (rule === undefined) throw new Error(`markdown-it has no rule ${name}`)
  return rule
}

/** HTML that ends at a sign of its own instead of a blank line: how it begins, and how it ends. Left open, `pre` alone still shows what follows. */
const signs: ReadonlyArray<{ begin: RegExp, end: RegExp, endsAtBlankLine?: true }> = [
  { begin: /^<(?:script|style|textarea)(?=\s|>|$)/i, end: /<\/(?:script|pre|style|textarea)>/i },
  { begin: /^<!--/, end: /-->/ },
  { begin: /^<\?/, end: /\?>/ },
  { begin: /^<!\[CDATA\[/, end: /\]\]>/ },
  // The next `>` behind a blank line is most likely a quote's.
  { begin: /^<![a-z]/i, end: />/, endsAtBlankLine: true },
]

/** The lines of a document in which a sign was looked for in vain. */
type Unended = Map<RegExp, { from: number, to: number }>

/** Whether HTML begins here that would take all lines to the end of its container, because its sign never comes. */
function isUnended (state: StateBlock, start: number, last: number): boolean {
  const line = (number: number) => state.src.slice(state.bMarks[number] ?? 0, state.eMarks[number]).trimStart()
  const sign = signs.find(({ begin }) => begin.test(state.src.slice((state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0), state.eMarks[start])))
  if (sign === undefined) return false
  const env = state.env as { unended?: Unended }
  const unended = env.unended ??= new Map<RegExp, { from: number, to: number }>()
  const known = unended.get(sign.begin)
  if (known !== undefined && start >= known.from && start < known.to) return true
  let at = start
  for (; at < last && (at === start || (state.sCount[at] ?? 0) >= state.blkIndent || state.isEmpty(at)); at++) {
    if (sign.endsAtBlankLine === true && state.isEmpty(at)) break
    if (sign.end.test(line(at))) return false
  }
  unended.set(sign.begin, { from: start, to: at })
  return true
}
