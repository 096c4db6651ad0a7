import { randomUUID } from 'node:crypto'
import { append } from '../append.ts'
import type { Block, Inline, InlineElement, Styles } from '../blocks/block.ts'
import { defaultProps, type BlockTable } from '../blocks/block-table.ts'
import type { WhiteSpace } from './css.ts'
import { InlineBuilder } from '../blocks/inline-builder.ts'

/**
 * What the text of an element becomes.
 * `blocks`: every paragraph is a block · `text`: all of it is one content, paragraphs parted by line breaks, up to the first
 * block of another kind · `item`: the first paragraph alone
 */
export type SinkMode = 'blocks' | 'text' | 'item'

/** Takes what a walk over elements meets, in order, and makes content and blocks of it. */
export class BlockSink {
  /** Blocks that did not become content. */
  readonly blocks: Block[] = []
  readonly #table: BlockTable
  readonly #mode: SinkMode
  readonly #content = new InlineBuilder()
  /** Where text goes now; undefined between paragraphs. */
  #open: InlineBuilder | undefined
  #contentClosed: boolean
  /** A new paragraph of the same content begins with a line break, once it has text. */
  #breakDue = false
  /** A blank that stood for a line break of the source is written only if text follows it. */
  #blank: { styles: Styles, href: string | undefined } | undefined
  /** True at the start of a line, where such blanks are dropped. */
  #lineStart = true
  /** Pictures in a paragraph follow it. */
  #media: Block[] = []

  constructor (table: BlockTable, mode: SinkMode) {
    this.#table = table
    this.#mode = mode
    this.#contentClosed = mode === 'blocks'
  }

  /** Whether the next paragraph is content and no block. */
  get takesParagraph (): boolean {
    return !this.#contentClosed
  }

  /** Text as it stands in the source. */
  sourceText (text: string, styles: Styles, href: string | undefined, whiteSpace: WhiteSpace): void {
    // What only parts two blocks in the source is no text.
    const source = this.#open === undefined && this.#contentClosed ? text.replace(/^[ \t\r\n\f]+/, '') : text
    if (source === '') return
    if (whiteSpace === 'preserve' || (whiteSpace === 'spaces' && !source.includes('\n'))) return this.text(source, styles, href)
    if (whiteSpace !== 'breaks') return this.#collapsed(source, styles, href)
    source.split('\n').forEach((line, index) => {
      if (index > 0) this.breakLine()
      this.#collapsed(line, styles, href)
    })
  }

  /** White space is one blank, across elements too, or none at the edge of a line. */
  #collapsed (source: string, styles: Styles, href: string | undefined): void {
    const collapsed = source.replace(/[ \t\r\n\f]+/g, ' ')
    if (collapsed.startsWith(' ') && !this.#lineStart) this.#blank ??= { styles, href }
    // Only the blanks of the source: a non-breaking one is text.
    const core = collapsed.replace(/^ | $/g, '')
    if (core !== '') {
      this.text(core, styles, href)
      if (collapsed.endsWith(' ')) this.#blank = { styles, href }
    }
  }

  /** Text of which every character counts. */
  text (text: string, styles: Styles, href?: string): void {
    if (text === '') return
    const builder = this.#builder()
    if (this.#blank !== undefined) {
      const { styles: marks, href: address } = this.#blank
      this.#blank = undefined
      builder.text(' ', marks, address)
    }
    builder.text(text, styles, href)
    this.#lineStart = text.endsWith('\n')
  }

  breakLine (): void {
    // A break between blocks is only space.
    if (this.#open === undefined) return
    this.#blank = undefined
    this.#builder().text('\n', {})
    this.#lineStart = true
  }

  element (inline: InlineElement): void {
    const builder = this.#builder()
    if (this.#blank !== undefined) builder.text(' ', this.#blank.styles, this.#blank.href)
    this.#blank = undefined
    builder.element(inline)
    this.#lineStart = false
  }

  /** A paragraph begins, though it may stay empty. */
  startParagraph (): void {
    this.endParagraph()
    this.#open = this.#contentClosed ? new InlineBuilder() : this.#content
  }

  /** Ends the paragraph that text went to, if there is one. */
  endParagraph (): Inline[] | undefined {
    const ended = this.#open
    this.#open = undefined
    this.#blank = undefined
    this.#lineStart = true
    const media = this.#media
    if (ended !== undefined && ended !== this.#content) {
      this.blocks.push({ id: randomUUID(), type: 'paragraph', props: this.#paragraphProps(), content: ended.finish(), children: [] })
    } else if (ended !== undefined) {
      if (this.#mode === 'item') this.#contentClosed = true
      else this.#breakDue = !ended.isEmpty
    }
    if (media.length > 0) {
      this.#media = []
      this.#contentClosed = true
      append(this.blocks, media)
    }
    return ended?.finish()
  }

  /** A block of its own. Ends the paragraph, and the content: what follows stands behind the block. */
  block (block: Block): void {
    this.endParagraph()
    this.#contentClosed = true
    this.blocks.push(block)
  }

  /** A picture or the like: within a line of text it follows that, without breaking it up. */
  media (block: Block): void {
    if (this.#open === undefined && this.#contentClosed) this.block(block)
    else this.#media.push(block)
  }

  /** The content gathered; ends the sink. */
  content (): Inline[] {
    this.endParagraph()
    return this.#content.finish()
  }

  #builder (): InlineBuilder {
    if (this.#open === undefined) {
      this.#open = this.#contentClosed ? new InlineBuilder() : this.#content
      this.#lineStart = true
    }
    if (this.#breakDue && this.#open === this.#content) {
      this.#breakDue = false
      this.#content.text('\n', {})
    }
    return this.#open
  }

  #paragraphProps (): Block['props'] {
    return defaultProps(this.#table.blocks.get('paragraph')?.props ?? {})
  }
}
