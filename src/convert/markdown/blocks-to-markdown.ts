import { append } from '../append.ts'
import { type Block, elementText, type Inline, isLink, isText } from '../blocks/block.ts'
import { type BlockSpec, type BlockTable, isInlineList, type MarkdownParts } from '../blocks/block-table.ts'
import { inlineToHtml } from '../html/blocks-to-html.ts'
import { Dropped } from '../dropped.ts'
import { escapeAttributeLine } from '../html/escape-html.ts'
import { escapeLineStart, escapeProp } from './escape-markdown.ts'
import { inlineToMarkdown } from './inline-to-markdown.ts'
import { listNumber } from '../blocks/list-number.ts'
import { readsBack } from './reads-back.ts'
import { tableToMarkdown } from './table-to-markdown.ts'

/** A finished block of markdown. A blank line separates blocks, but not the items of one list. */
interface Chunk {
  text: string
  list?: 'ul' | 'ol'
  number?: number
  /** The sign after the number. The other sign begins a new list. */
  sign?: '.' | ')'
  /**
   * Whether a reader accepts the item directly below a line of text: it has text itself, and its number, if any, is 1.
   */
  interrupts?: boolean
  /** A paragraph at the start of an item would be read as the item's text. */
  isParagraph?: boolean
}

/** Props without a notation in markdown. */
const looks = ['textAlignment', 'backgroundColor', 'textColor', 'previewWidth']

/** Markdown reads at most nine digits. */
const maxNumber = 999_999_999

/**
 * The first line of a quote that GitHub shows as an alert. The line must not end with the backslash of a line break.
 */
const alert = /^(\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\])\\$/im

/** Text that at the start of an item would be a checkbox, or, with the item's marker, a rule. */
const misreadInItem = /^(?:\[[ xX]\](?!\S)|\*[* \t]*$)/

/**
 * Writes blocks as markdown that reads back as the same blocks, as far as markdown can express them; the rest is
 * counted. Ends with one line feed.
 * @param origin of the web application, for links between documents
 */
export function blocksToMarkdown (blocks: readonly Block[], table: BlockTable, dropped: Dropped, origin = ''): string {
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

  /** Appends blocks to the chunks before them. */
  chunks (blocks: readonly Block[], chunks: Chunk[] = []): Chunk[] {
    let number: number | undefined
    for (const block of blocks) {
      const spec = this.#table.blocks.get(block.type)
      if (spec === undefined) continue
      if (spec.transient === true) {
        this.#drop(`element ${spec.type}`)
        this.chunks(block.children, chunks)
        continue
      }
      const before = number
      number = spec.list === 'ol' ? this.#number(block, before) : undefined
      if (spec.container === true) {
        if (block.type === 'columnList') this.#drop('columns')
        this.chunks(block.children, chunks)
        continue
      }
      for (const name of looks) {
        const value = block.props[name]
        if (value !== undefined && value !== spec.props[name]?.default) this.#drop(`prop ${name}`)
      }
      if (number !== undefined) chunks.push(this.#numberedItem(block, number, before, chunks[chunks.length - 1]))
      else if (spec.list !== undefined) chunks.push(this.#item(block, { text: '*', list: 'ul' }))
      else if (block.type === 'quote') append(chunks, this.#quote(block))
      else {
        const text = this.#text(block, spec)
        // An empty block, such as an empty paragraph, would be blank lines that read back as nothing.
        if (text !== '') chunks.push({ text, isParagraph: block.type === 'paragraph' })
        append(chunks, this.#unnested(block.children))
      }
    }
    return chunks
  }

  /** The children of a block that is no list or quote, which follow it. */
  #unnested (children: readonly Block[]): Chunk[] {
    if (children.length > 0) this.#drop('nesting')
    return this.chunks(children)
  }

  #text (block: Block, spec: BlockSpec): string {
    const { content } = block
    if (content !== undefined && !isInlineList(content)) {
      return tableToMarkdown(content, (cell) => {
        for (const name of ['backgroundColor', 'textColor']) {
          if (cell.props[name] !== 'default') this.#drop(`prop ${name}`)
        }
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

  /** Exact text without marks, as in a program. */
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
    return inlineToMarkdown(content, {
      table: this.#table,
      drop: this.#drop,
      origin: this.#origin,
      oneLine,
      readsBack: (markdown, written) => readsBack(markdown, written, this.#table),
    })
  }

  /** The number of an item, or the next one if markdown cannot express it. */
  #number (block: Block, before: number | undefined): number {
    const number = listNumber(block, before)
    if (number >= 0 && number <= maxNumber) return number
    this.#drop('number of a list')
    return Math.min((before ?? 0) + 1, maxNumber)
  }

  /** Writes an item. If its number does not continue the list above it, the other sign begins a new list. */
  #numberedItem (block: Block, number: number, before: number | undefined, above: Chunk | undefined): Chunk {
    const goesOn = before !== undefined && number === before + 1
    const other = above?.sign === '.' ? ')' : '.'
    const sign = goesOn ? above?.sign ?? '.' : other
    return this.#item(block, { text: `${number}${sign}`, list: 'ol', sign, number })
  }

  /** Writes an item. @param chunk holds its marker */
  #item (block: Block, chunk: Chunk): Chunk {
    if (block.type === 'toggleListItem') this.#drop('toggle')
    const indent = ' '.repeat(chunk.text.length + 1)
    const text = isInlineList(block.content) ? this.#inline(block.content) : ''
    const check = block.type !== 'checkListItem' ? '' : block.props['checked'] === true ? '[x] ' : '[ ] '
    const first = check === '' ? escapeItemStart(text) : (check + text).trimEnd()
    const children = this.chunks(block.children)
    if (first !== '') chunk.text += ' ' + first.replaceAll('\n', '\n' + indent)
    chunk.interrupts = first !== '' && (chunk.number ?? 1) === 1
    const child = children[0]
    if (child === undefined) return chunk
    if (first === '' && child.isParagraph === true) {
      this.#drop('nesting')
      child.text = escapeItemStart(child.text)
    }
    // An item without text can begin on the next line, but not after a blank one.
    const tight = child.interrupts === true || first === ''
    chunk.text += (tight ? '\n' : '\n\n') + indentLines(join(children), indent)
    return chunk
  }

  /** Writes a quote. Paragraphs at its start would be read as its text, so such children follow it, as in BlockNote. */
  #quote (block: Block): Chunk[] {
    const text = isInlineList(block.content) ? this.#inline(block.content) : ''
    const inside = block.children[0]?.type !== 'paragraph'
    const parts = inside ? this.chunks(block.children) : []
    const body = join(text === '' ? parts : [{ text: text.replace(alert, '$1') }, ...parts])
    const quote: Chunk = { text: body.split('\n').map((line) => line === '' ? '>' : '> ' + line).join('\n') }
    return inside ? [quote] : [quote, ...this.#unnested(block.children)]
  }
}

function join (chunks: readonly Chunk[]): string {
  let text = ''
  chunks.forEach((chunk, index) => {
    const before = chunks[index - 1]
    const isSameList = before?.list !== undefined && before.list === chunk.list && before.sign === chunk.sign
    if (before !== undefined) text += isSameList ? '\n' : '\n\n'
    text += chunk.text
  })
  return text
}

function indentLines (text: string, indent: string): string {
  let end = text.length
  while (text.charAt(end - 1) === '\n') end--
  return indent + text.slice(0, end).replace(/\n(?!\n)/g, '\n' + indent)
}

function escapeItemStart (text: string): string {
  return misreadInItem.test(text) ? '\\' + text : text
}

/** Escapes signs at the end of a heading that would be read as its closing sequence. */
function endHeading (text: string): string {
  let start = text.length
  while (text.charAt(start - 1) === '#') start--
  const before = text.charAt(start - 1)
  const isClosing = start < text.length && (before === '' || before === ' ' || before === '\t')
  return isClosing ? `${text.slice(0, start)}\\${text.slice(start)}` : text
}
