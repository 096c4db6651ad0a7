import { randomUUID } from 'node:crypto'
import { append } from '../append.ts'
import type { Block } from './block.ts'
import { type BlockSpec, type BlockTable, defaultProps } from './block-table.ts'
import type { Dropped } from '../dropped.ts'

const columnList: BlockSpec = {
  type: 'columnList',
  content: 'none',
  props: {},
  container: true,
  childrenInside: 'all',
  toHtml: ({ attributes, children }) => `<div data-node-type="columnList" style="display: flex;"${attributes}>${children}</div>`,
  fromHtml: { tags: ['div'], read: (element) => element.attributes['data-node-type'] === 'columnList' ? { props: {} } : undefined },
}

const column: BlockSpec = {
  type: 'column',
  content: 'none',
  // Relative to the others: a column of width 2 is twice as wide as one of width 1.
  props: { width: { default: 1 } },
  container: true,
  childrenInside: 'all',
  toHtml: ({ props, attributes, children }) =>
    `<div data-node-type="column" style="flex-grow: ${Number(props['width'])};"${attributes}>${children}</div>`,
  fromHtml: { tags: ['div'], read: (element) => element.attributes['data-node-type'] === 'column' ? { props: {} } : undefined },
}

/** BlockNote's columns, as its multi-column package stores them. */
export const columnBlocks: readonly BlockSpec[] = [columnList, column]

/**
 * Keeps only columns that the editor accepts: two or more side by side, each with a block in it, and none directly
 * within another. The editor would delete other columns with their blocks, so here the blocks take their place.
 */
export function tidyColumns (blocks: readonly Block[], table: BlockTable, dropped: Dropped, inColumn = false): Block[] {
  const tidy: Block[] = []
  for (const block of blocks) {
    if (block.type === 'columnList' && !inColumn && isRow(block.children)) {
      for (const column of block.children) column.children = columnContent(column.children, table, dropped)
      tidy.push(block)
    } else if (block.type === 'columnList' || block.type === 'column') {
      dropped.add('format', `element ${block.type}`)
      append(tidy, tidyColumns(block.children, table, dropped, inColumn))
    } else {
      block.children = tidyColumns(block.children, table, dropped)
      tidy.push(block)
    }
  }
  return tidy
}

function isRow (children: readonly Block[]): boolean {
  return children.length > 1 && children.every(({ type }) => type === 'column')
}

function columnContent (children: readonly Block[], table: BlockTable, dropped: Dropped): Block[] {
  const tidy = tidyColumns(children, table, dropped, true)
  if (tidy.length > 0) return tidy
  const props = defaultProps(table.blocks.get('paragraph')?.props ?? {})
  return [{ id: randomUUID(), type: 'paragraph', props, content: [], children: [] }]
}
