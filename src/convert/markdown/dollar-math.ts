import type { StateBlock, StateInline } from 'markdown-it'

/** Math in a line of text: the offset of its end, and its LaTeX source. */
interface InlineMath { end: number, source: string, markup: '$' | '$$' }

/**
 * Finds math between dollars by GitHub's rule: no blank inside the delimiters, no letter or digit around them, all on
 * one line. `$5 and $6` and `$HOME/$USER` are therefore text. Linear in the length of the text, whatever its dollars.
 */
export class MathScanner {
  readonly #text: string
  /** The last search for a closing dollar, whose result holds for all offsets from `from` to `end`. */
  #search = { from: 0, end: -1, found: false }

  constructor (text: string) {
    this.#text = text
  }

  /** Reads the math that a dollar begins. The caller skips escaped dollars. @returns undefined if the dollar is text */
  at (index: number): InlineMath | undefined {
    const text = this.#text
    if (/[a-z0-9$]/i.test(text.charAt(index - 1))) return undefined
    if (text.charAt(index + 1) === '$') return this.#double(index)
    if (/^\s?$/.test(text.charAt(index + 1))) return undefined
    const close = this.#closing(index + 1)
    if (close === undefined) return undefined
    const content = text.slice(index + 1, close)
    // GitHub's other notation, for sources with dollars or stars.
    const isQuoted = content.length > 2 && content.startsWith('`') && content.endsWith('`')
    return { end: close + 1, source: isQuoted ? content.slice(1, -1) : content, markup: '$' }
  }

  #double (index: number): InlineMath | undefined {
    const close = this.#text.indexOf('$$', index + 2)
    if (close === -1 || this.#text.charAt(close + 2) === '$') return undefined
    const content = this.#text.slice(index + 2, close)
    const source = content.trim()
    if (source === '' || content.includes('\n') || content.endsWith('\\')) return undefined
    return { end: close + 2, source, markup: '$$' }
  }

  #closing (from: number): number | undefined {
    if (from < this.#search.from || from > this.#search.end) {
      let end = from
      while (end < this.#text.length && this.#text.charAt(end) !== '\n' && !this.#closes(end)) end += this.#isEscape(end) ? 2 : 1
      this.#search = { from, end, found: this.#closes(end) }
    }
    return this.#search.found ? this.#search.end : undefined
  }

  #isEscape (index: number): boolean {
    return this.#text.charAt(index) === '\\' && this.#text.charAt(index + 1) !== '\n'
  }

  #closes (index: number): boolean {
    const text = this.#text
    return text.charAt(index) === '$' && !/[\s$]/.test(text.charAt(index - 1)) && !/[a-z0-9$]/i.test(text.charAt(index + 1))
  }
}

const scanners = new WeakMap<StateInline, MathScanner>()

/** markdown-it's rule for math in a line. Its token `math_inline` has the source as content, the markdown as info. */
export function inlineMathRule (state: StateInline, silent: boolean): boolean {
  if (state.src.charAt(state.pos) !== '$') return false
  const scanner = scanners.get(state) ?? new MathScanner(state.src)
  scanners.set(state, scanner)
  const math = scanner.at(state.pos)
  if (math === undefined || math.end > state.posMax) return false
  if (!silent) {
    const token = state.push('math_inline', 'math', 0)
    token.content = math.source
    token.info = state.src.slice(state.pos, math.end)
    token.markup = math.markup
  }
  state.pos = math.end
  return true
}

/** The lines in which the last search for the end of math failed. */
const failures = new WeakMap<StateBlock, { from: number, to: number }>()

/**
 * markdown-it's rule for a block of math: from a line that begins with `$$` to one that ends with it, without a blank
 * line. Its token is `math_block`.
 */
export function mathBlockRule (state: StateBlock, start: number, end: number, silent: boolean): boolean {
  if ((state.sCount[start] ?? 0) - state.blkIndent >= 4) return false
  const first = lineOf(state, start)
  if (!first.startsWith('$$')) return false
  const opening = first.slice(2)
  const close = opening.includes('$$') ? start : closingLine(state, start, end)
  if (close === undefined) return false
  const last = close === start ? opening : lineOf(state, close)
  const content = [
    ...close === start ? [] : [opening, state.getLines(start + 1, close, state.sCount[start] ?? 0, false)],
    last.slice(0, -2),
  ].filter((part) => part.trim() !== '').join('\n')
  if (!last.endsWith('$$') || last.indexOf('$$') !== last.length - 2 || content === '') return false
  if (silent) return true
  const token = state.push('math_block', 'math', 0)
  token.content = close === start ? content.trim() : content
  token.info = state.getLines(start, close + 1, state.sCount[start] ?? 0, false)
  token.markup = '$$'
  state.line = close + 1
  return true
}

function closingLine (state: StateBlock, start: number, end: number): number | undefined {
  const failure = failures.get(state)
  if (failure !== undefined && start >= failure.from && start < failure.to) return undefined
  let line = start + 1
  while (line < end && (state.sCount[line] ?? 0) >= state.blkIndent && !state.isEmpty(line)) {
    if (lineOf(state, line).includes('$$')) return line
    line++
  }
  failures.set(state, { from: start, to: line })
  return undefined
}

function lineOf (state: StateBlock, line: number): string {
  return state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]).trimEnd()
}
