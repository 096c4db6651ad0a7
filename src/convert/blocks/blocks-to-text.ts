import { type Block, elementText, type Inline, isLink, isText } from './block.ts'
import { type BlockTable, isInlineList } from './block-table.ts'
import type { Dropped } from '../dropped.ts'
import { listNumber } from './list-number.ts'

/**
 * Writes blocks as text without marks, one block per line, for search and for reading. Lists keep their signs, and tabs
 * separate cells. Ends with a line feed unless it is empty.
 */
export function blocksToText (blocks: readonly Block[], table: BlockTable, dropped: Dropped): string {
  const lines: string[] = []
  write(blocks, table, dropped, '', lines)
  return lines.length === 0 ? '' : lines.join('\n') + '\n'
}

function write (blocks: readonly Block[], table: BlockTable, dropped: Dropped, indent: string, lines: string[]): void {
  let number: number | undefined
  for (const block of blocks) {
    if (table.blocks.get(block.type)?.transient === true) {
      dropped.add('format', `element ${block.type}`)
      write(block.children, table, dropped, indent, lines)
      continue
    }
    number = block.type === 'numberedListItem' ? listNumber(block, number) : undefined
    if (table.blocks.get(block.type)?.container === true) {
      write(block.children, table, dropped, indent, lines)
      continue
    }
    const sign = signOf(block, number)
    const text = textOf(block, table)
    const inner = indent + ' '.repeat(sign.length)
    // A block without text, such as a divider, is an empty line.
    for (const [index, line] of text.split('\n').entries()) {
      const start = index === 0 ? indent + sign : inner
      lines.push(line === '' && sign === '' ? '' : start + line)
    }
    write(block.children, table, dropped, indent + '  ', lines)
  }
}

function signOf (block: Block, number: number | undefined): string {
  switch (block.type) {
    case 'bulletListItem': case 'toggleListItem':
      return '- '
    case 'numberedListItem':
      return `${String(number)}. `
    case 'checkListItem':
      return block.props['checked'] === true ? '[x] ' : '[ ] '
    default:
      return ''
  }
}

function textOf (block: Block, table: BlockTable): string {
  const { content } = block
  if (content !== undefined && !isInlineList(content)) {
    return content.rows.map((row) => row.cells.map((cell) => inlineText(cell.content, table).replaceAll('\n', ' ')).join('\t')).join('\n')
  }
  const text = inlineText(content ?? [], table)
  return table.blocks.get(block.type)?.toText?.(block.props, text) ?? text
}

function inlineText (content: readonly Inline[], table: BlockTable): string {
  let text = ''
  for (const inline of content) {
    if (isText(inline)) text += inline.text
    else if (isLink(inline)) for (const run of inline.content) text += run.text
    else {
      const own = elementText(inline)
      text += table.inline.get(inline.type)?.toText?.(inline.props, own) ?? own
    }
  }
  return text
}
