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

/**
 * Reads the blocks of a markdown document, which any text is. Without content it is one empty paragraph, so that an
 * editor's cursor has a place.
 */
export function markdownToBlocks (
  markdown: string,
  table: BlockTable,
  dropped: Dropped,
  options?: MarkdownOptions
): Block[] {
  return withBlocks(markdown, table, dropped, options, (blocks) => [...blocks])
}

/**
 * Reads a markdown document straight into a Yjs update. Each block is written before the next is read, so that the
 * blocks of a large document, a hundred times its size, are never in memory together.
 */
export function markdownToUpdate (
  markdown: string,
  table: BlockTable,
  dropped: Dropped,
  fragment?: string,
  options?: MarkdownOptions
): Uint8Array {
  return withBlocks(markdown, table, dropped, options, (blocks) => blocksToUpdate(blocks, table, fragment))
}

/** Passes blocks on as they are read. If HTML exceeds the limits, the document is read again with its tags as text. */
function withBlocks<T> (
  markdown: string,
  table: BlockTable,
  dropped: Dropped,
  options: MarkdownOptions | undefined,
  use: (blocks: Iterable<Block>) => T
): T {
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

function * readBlocks (
  markdown: string,
  parser: MarkdownIt,
  table: BlockTable,
  dropped: Dropped,
  options: MarkdownOptions | undefined
): Generator<Block> {
  const reader = new ElementReader(table, dropped)
  let isEmpty = true
  for (const { nodes, whiteSpace } of markdownToElements(markdown, parser, table, dropped, options)) {
    const blocks = reader.read(nodes, whiteSpace)
    if (table.fences.size > 0) readFences(blocks, table)
    if (blocks.length > 0) isEmpty = false
    yield * blocks
  }
  if (!isEmpty) return
  const props = defaultProps(table.blocks.get('paragraph')?.props ?? {})
  yield { id: randomUUID(), type: 'paragraph', props, content: [], children: [] }
}

/** Replaces code blocks whose language belongs to another type of block. */
function readFences (blocks: Block[], table: BlockTable): void {
  blocks.forEach((block, index) => {
    readFences(block.children, table)
    const language = block.props['language']
    const spec = block.type === 'codeBlock' && typeof language === 'string' ? table.fences.get(language) : undefined
    if (spec === undefined) return
    const run = Array.isArray(block.content) ? block.content[0] : undefined
    const text = run !== undefined && 'text' in run ? run.text : ''
    const prop = spec.fromFence?.prop
    const { id, children } = block
    const props = readProps(spec.props, prop === undefined ? {} : { [prop]: text })
    const content = prop === undefined && run !== undefined ? [run] : []
    blocks[index] = { id, type: spec.type, props, ...spec.content !== 'none' && { content }, children }
  })
}
