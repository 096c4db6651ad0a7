import { randomUUID } from 'node:crypto'
import type { MarkdownIt } from 'markdown-it'
import type { Block } from '../blocks/block.ts'
import { type BlockTable, defaultProps, readProps } from '../blocks/block-table.ts'
import { blocksToUpdate } from '../yjs/blocks-to-update.ts'
import { Dropped } from '../dropped.ts'
import { ElementReader } from '../html/elements-to-blocks.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { markdownParser, plainMarkdownParser } from './markdown-parser.ts'
import { type MarkdownOptions, markdownToElements } from './markdown-to-elements.ts'

/** Reads the blocks of a markdown document, any text there is. Without content it is one empty paragraph, where an editor's cursor can stand. */
export function markdownToBlocks (markdown: string, table: BlockTable, dropped: Dropped, options?: MarkdownOptions): Block[] {
  return withBlocks(markdown, table, dropped, options, (blocks) => [...blocks])
}

/**
 * The same, straight to a Yjs update: each block is written before the next is read, so that a large document is never
 * held as blocks. They would take a hundred times its size, and the collector's threads the processor from everybody else.
 */
export function markdownToUpdate (markdown: string, table: BlockTable, dropped: Dropped, fragment?: string, options?: MarkdownOptions): Uint8Array {
  return withBlocks(markdown, table, dropped, options, (blocks) => blocksToUpdate(blocks, table, fragment))
}

/** Lets blocks be used as they are read. Markdown is never refused: if HTML in it is beyond the limits, all of it is read anew with tags as text. */
function withBlocks<T> (markdown: string, table: BlockTable, dropped: Dropped, options: MarkdownOptions | undefined, use: (blocks: Iterable<Block>) => T): T {
  const attempt = (parser: MarkdownIt): T => {
    const lost = new Dropped()
    const result = use(readBlocks(markdown, parser, table, lost, options))
    dropped.addAll(lost)
    return result
  }
  try {
    return attempt(markdownParser)
  } catch (error) {
    if (!(error instanceof InvalidContent)) throw error
    return attempt(plainMarkdownParser)
  }
}

function * readBlocks (markdown: string, parser: MarkdownIt, table: BlockTable, dropped: Dropped, options: MarkdownOptions | undefined): Generator<Block> {
  const reader = new ElementReader(table, dropped)
  let isEmpty = true
  for (const { nodes, whiteSpace } of markdownToElements(markdown, parser, table, dropped, options)) {
    const blocks = reader.read(nodes, whiteSpace)
    if (table.fences.size > 0) readFences(blocks, table)
    if (blocks.length > 0) isEmpty = false
    yield * blocks
  }
  if (isEmpty) yield { id: randomUUID(), type: 'paragraph', props: defaultProps(table.blocks.get('paragraph')?.props ?? {}), content: [], children: [] }
}

/** Turns code blocks whose language a custom block claims into that block. */
function readFences (blocks: Block[], table: BlockTable): void {
  blocks.forEach((block, index) => {
    readFences(block.children, table)
    const language = block.props['language']
    const spec = block.type === 'codeBlock' && typeof language === 'string' ? table.fences.get(language) : undefined
    if (spec === undefined) return
    const run = Array.isArray(block.content) ? block.content[0] : undefined
    const text = run !== undefined && 'text' in run ? run.text : ''
    const prop = spec.fromFence?.prop
    const props = readProps(spec.props, prop === undefined ? {} : { [prop]: text })
    blocks[index] = spec.content === 'none'
      ? { id: block.id, type: spec.type, props, children: block.children }
      : { id: block.id, type: spec.type, props, content: prop === undefined && run !== undefined ? [run] : [], children: block.children }
  })
}
