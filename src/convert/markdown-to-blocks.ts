import { randomUUID } from 'node:crypto'
import type { Block } from './block.ts'
import { type BlockTable, defaultProps, readProps } from './block-table.ts'
import type { Dropped } from './dropped.ts'
import { elementsToBlocks } from './elements-to-blocks.ts'
import { type MarkdownOptions, markdownToElements } from './markdown-to-elements.ts'

/** Reads the blocks of a markdown document, any text there is. Without content it is one empty paragraph, where an editor's cursor can stand. */
export function markdownToBlocks (markdown: string, table: BlockTable, dropped: Dropped, options?: MarkdownOptions): Block[] {
  const blocks = elementsToBlocks(markdownToElements(markdown, dropped, options), table, dropped)
  if (table.fences.size > 0) readFences(blocks, table)
  if (blocks.length > 0) return blocks
  return [{ id: randomUUID(), type: 'paragraph', props: defaultProps(table.blocks.get('paragraph')?.props ?? {}), content: [], children: [] }]
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
