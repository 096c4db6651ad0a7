import { append } from './append.ts'
import { type Block, elementText, type Inline, isLink, isText } from './block.ts'
import { type BlockSpec, type BlockTable, isInlineList, type MarkdownParts } from './block-table.ts'
import { inlineToHtml } from './blocks-to-html.ts'
import { Dropped } from './dropped.ts'
import { escapeAttributeLine } from './escape-html.ts'
import { escapeLineStart, escapeProp } from './escape-markdown.ts'
import { inlineToMarkdown } from './inline-to-markdown.ts'
import { readsBack } from './reads-back.ts'
import { tableToMarkdown } from './table-to-markdown.ts'

/** A finished block of markdown. Items of one list follow each other line by line, other blocks after a blank line. */
interface Chunk {
  text: string
  list?: 'ul' | 'ol'
  number?: number
  /** The sign after the number: the other one of the two begins a new list. */
  sign?: '.' | ')'
  /** An item that a reader accepts right under a line of text: it has text itself, and the number 1 if it has one. */
  interrupts?: boolean
}

/** How blocks look that markdown has no notation for. */
const looks = ['textAlignment', 'backgroundColor', 'textColor', 'previewWidth']

/** Markdown reads nine digits at most. */
const maxNumber = 999_999_999

/**
 * Writes blocks as markdown that reads back as the same blocks, as far as markdown can say them; what it cannot is counted.
 * Ends with one line feed.
 * @param origin of the web application, for links between documents
 */
export function blocksToMarkdown (blocks: readonly Block[], table: BlockTable, dropped: Dropped, origin: string = ''): string {
  return join(new MarkdownWriter(table, dropped, origin).chunks(blocks)).trim() + '\n'
}

class MarkdownWriter {
  readonly #table: BlockTable
  readonly #origin: string
  readonly #drop: MarkdownParts['drop']

  constructor (table: BlockTable, dropped: Dropped, origin: string) {
    this.#table = table
    this.#origin = origin
    this.#drop = (what, kind = 'format') => dropped.add(kind, what)
  }

  /** Adds blocks to those that stand before them. */
  chunks (blocks: readonly Block[], chunks: Chunk[] = []): Chunk[] {
    for (const block of blocks) {
      const spec = this.#table.blocks.get(block.type)
      if (spec === undefined) continue
      if (spec.transient === true) {
        this.#drop(`element ${spec.type}`)
        this.chunks(block.children, chunks)
        continue
      }
      if (spec.container === true) {
        this.#holder(block, chunks)
        continue
      }
      for (const name of looks) {
        if (block.props[name] !== undefined && block.props[name] !== spec.props[name]?.default) this.#drop(`prop ${name}`)
      }
      if (spec.list !== undefined) chunks.push(this.#item(block, spec, chunks[chunks.length - 1]))
      else if (block.type === 'quote') append(chunks, this.#quote(block))
      else {
        chunks.push({ text: this.#text(block, spec) })
        append(chunks, this.#unnested(block.children))
      }
    }
    return chunks
  }

  /** Columns stand one after the other. A numbered list that begins in one does not go on from the list before it. */
  #holder (block: Block, chunks: Chunk[]): void {
    if (block.type === 'columnList') this.#drop('columns')
    const [first, ...others] = block.children
    const begins = first?.type === 'numberedListItem' && first.props['start'] === undefined && chunks[chunks.length - 1]?.number !== undefined
    this.chunks(begins ? [{ ...first, props: { ...first.props, start: 1 } }, ...others] : block.children, chunks)
  }

  /** Only lists and quotes can hold blocks; elsewhere they follow. */
  #unnested (children: readonly Block[]): Chunk[] {
    if (children.length > 0) this.#drop('nesting')
    return this.chunks(children)
  }

  #text (block: Block, spec: BlockSpec): string {
    const { content } = block
    if (content !== undefined && !isInlineList(content)) {
      return tableToMarkdown(content, (cell) => {
        for (const name of ['backgroundColor', 'textColor']) if (cell.props[name] !== 'default') this.#drop(`prop ${name}`)
        return this.#inline(cell.content, true)
      }, this.#drop)
    }
    const inline = content ?? []
    if (spec.toMarkdown === undefined) return this.#inline(inline)
    const lazy = {
      inline: () => spec.type === 'heading' ? endHeading(this.#inline(inline, true)) : this.#inline(inline),
      html: () => inlineToHtml(inline, this.#table, new Dropped(), this.#origin),
      text: () => this.#plainText(inline),
    }
    return spec.toMarkdown({
      props: block.props,
      get inline () { return lazy.inline() },
      get html () { return lazy.html() },
      get text () { return lazy.text() },
      escape: (text) => escapeLineStart(escapeProp(text)),
      escapeHtml: escapeAttributeLine,
      drop: this.#drop,
      origin: this.#origin,
    })
  }

  /** Text of which every character counts, as in a program: it has no marks. */
  #plainText (content: readonly Inline[]): string {
    let text = ''
    for (const inline of content) {
      const isElement = !isText(inline) && !isLink(inline)
      if (isLink(inline)) this.#drop('link in code')
      if (isElement) this.#drop(`element ${inline.type}`, 'content')
      if (isElement) {
        text += elementText(inline)
        continue
      }
      for (const run of isText(inline) ? [inline] : inline.content) {
        for (const name in run.styles) this.#drop(`mark ${name}`)
        text += run.text
      }
    }
    return text
  }

  #inline (content: readonly Inline[], oneLine = false): string {
    return inlineToMarkdown(content, { table: this.#table, drop: this.#drop, origin: this.#origin, oneLine, readsBack: (markdown, written) => readsBack(markdown, written, this.#table) })
  }

  #item (block: Block, spec: BlockSpec, before: Chunk | undefined): Chunk {
    const chunk: Chunk = { text: '', list: spec.list ?? 'ul' }
    let marker = '* '
    if (spec.list === 'ol') {
      const { number, sign } = this.#number(block.props['start'], before)
      chunk.number = number
      chunk.sign = sign
      marker = `${number}${sign} `
    }
    if (block.type === 'toggleListItem') this.#drop('toggle')
    const indent = ' '.repeat(marker.length)
    const check = block.type === 'checkListItem' ? `[${block.props['checked'] === true ? 'x' : ' '}] ` : ''
    const first = check + (isInlineList(block.content) ? this.#inline(block.content) : '')
    chunk.text = marker + first.replaceAll('\n', '\n' + indent)
    chunk.interrupts = first !== '' && (chunk.number ?? 1) === 1
    const children = this.chunks(block.children)
    if (children.length === 0) return chunk
    // An item without text may begin on the next line, but not after a blank one.
    const tight = children[0]?.interrupts === true || first === ''
    chunk.text += (tight ? '\n' : '\n\n') + indentLines(join(children), indent)
    return chunk
  }

  /** The number of an item: one more than that of the item before it, unless it starts a list anew. */
  #number (start: unknown, before: Chunk | undefined): { number: number, sign: '.' | ')' } {
    const given = typeof start === 'number' && Number.isInteger(start) && start >= 0 && start <= maxNumber ? start : undefined
    if (start !== undefined && given === undefined) this.#drop('number of a list')
    if (before?.number === undefined) return { number: given ?? 1, sign: '.' }
    if (given === undefined) return { number: Math.min(before.number + 1, maxNumber), sign: before.sign ?? '.' }
    return { number: given, sign: before.sign === '.' ? ')' : '.' }
  }

  /** Paragraphs at a quote's start would be read as its own text, so such children follow it, as BlockNote writes them. */
  #quote (block: Block): Chunk[] {
    const text = isInlineList(block.content) ? this.#inline(block.content) : ''
    const inside = block.children[0]?.type !== 'paragraph'
    const parts = inside ? this.chunks(block.children) : []
    const body = text === '' && parts.length > 0 ? join(parts) : join([{ text }, ...parts])
    const quote: Chunk = { text: body.split('\n').map((line) => '> ' + line).join('\n') }
    return inside ? [quote] : [quote, ...this.#unnested(block.children)]
  }
}

function join (chunks: readonly Chunk[]): string {
  let text = ''
  chunks.forEach((chunk, index) => {
    const before = chunks[index - 1]
    if (before !== undefined) text += before.list !== undefined && before.list === chunk.list && before.sign === chunk.sign ? '\n' : '\n\n'
    text += chunk.text
  })
  return text
}

function indentLines (text: string, indent: string): string {
  let end = text.length
  while (text.charAt(end - 1) === '\n') end--
  return indent + text.slice(0, end).replace(/\n(?!\n)/g, '\n' + indent)
}

/** A heading may not end in what would be its closing sequence. */
function endHeading (text: string): string {
  let start = text.length
  while (text.charAt(start - 1) === '#') start--
  const before = text.charAt(start - 1)
  return start < text.length && (before === '' || before === ' ' || before === '\t') ? `${text.slice(0, start)}\\${text.slice(start)}` : text
}
