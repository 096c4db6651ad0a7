import { randomUUID } from 'node:crypto'
import { append } from '../append.ts'
import type { Block, Inline, InlineElement, Styles } from '../blocks/block.ts'
import { defaultProps, type BlockTable } from '../blocks/block-table.ts'
import type { WhiteSpace } from './css.ts'
import { InlineBuilder } from '../blocks/inline-builder.ts'

/**
 * How the paragraphs of an element are used.
 * - `blocks`: each is a block
 * - `text`: all up to the first block of another kind are the content, with line breaks between them
 * - `item`: only the first is the content
 */
export type SinkMode = 'blocks' | 'text' | 'item'

/** Makes content and blocks of what a walk over elements meets, in order. */
export class BlockSink {
  /** Blocks that did not become content. */
  readonly blocks: Block[] = []
  readonly #table: BlockTable
  readonly #mode: SinkMode
  readonly #content = new InlineBuilder()
  /** The paragraph that takes text; undefined between paragraphs. */
  #open: InlineBuilder | undefined
  #contentClosed: boolean
  /** Whether the next text in the content needs a line break before it, because it begins a paragraph. */
  #breakDue = false
  /** Collapsed white space, which becomes a blank only if text follows it in the line. */
  #blank: { styles: Styles, href: string | undefined } | undefined
  /** Whether the line has no text yet, so that such a blank is dropped. */
  #lineStart = true
  /** Images in a paragraph, which follow it. */
  #media: Block[] = []

  constructor (table: BlockTable, mode: SinkMode) {
    this.#table = table
    this.#mode = mode
    this.#contentClosed = mode === 'blocks'
  }

  /** Whether the next paragraph is content and not a block. */
  get takesParagraph (): boolean {
    return !this.#contentClosed
  }

  /** Adds text of the source. */
  sourceText (text: string, styles: Styles, href: string | undefined, whiteSpace: WhiteSpace): void {
    // White space between two blocks is no text.
    const source = this.#open === undefined && this.#contentClosed ? text.replace(/^[ \t\r\n\f]+/, '') : text
    if (source === '') return
    const isExact = whiteSpace === 'preserve' || (whiteSpace === 'spaces' && !source.includes('\n'))
    if (isExact) return this.text(source, styles, href)
    if (whiteSpace !== 'breaks') return this.#collapsed(source, styles, href)
    source.split('\n').forEach((line, index) => {
      if (index > 0) this.breakLine()
      this.#collapsed(line, styles, href)
    })
  }

  /** Adds text in which white space is one blank, across elements too, or none at the edge of a line. */
  #collapsed (source: string, styles: Styles, href: string | undefined): void {
    const collapsed = source.replace(/[ \t\r\n\f]+/g, ' ')
    if (collapsed.startsWith(' ') && !this.#lineStart) this.#blank ??= { styles, href }
    // A non-breaking blank is text.
    const core = collapsed.replace(/^ | $/g, '')
    if (core !== '') {
      this.text(core, styles, href)
      if (collapsed.endsWith(' ')) this.#blank = { styles, href }
    }
  }

  /** Adds text exactly as it is. */
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

  /** Adds a line break, except between blocks. */
  breakLine (): void {
    if (this.#open === undefined) return
    this.#blank = undefined
    this.#builder().text('\n', {})
    this.#lineStart = true
  }

  /** Adds an element inside text. */
  element (inline: InlineElement): void {
    const builder = this.#builder()
    if (this.#blank !== undefined) builder.text(' ', this.#blank.styles, this.#blank.href)
    this.#blank = undefined
    builder.element(inline)
    this.#lineStart = false
  }

  /** Begins a paragraph, which can stay empty. */
  startParagraph (): void {
    this.endParagraph()
    this.#open = this.#contentClosed ? new InlineBuilder() : this.#content
  }

  /** Ends the open paragraph. @returns its text; undefined if none is open */
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

  /** Adds a block. Ends the paragraph and the content, since text from here on follows the block. */
  block (block: Block): void {
    this.endParagraph()
    this.#contentClosed = true
    this.blocks.push(block)
  }

  /** Adds an image or the like. Within a paragraph it follows the paragraph, without dividing it. */
  media (block: Block): void {
    if (this.#open === undefined && this.#contentClosed) this.block(block)
    else this.#media.push(block)
  }

  /** The content. The sink must not be used afterwards. */
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
