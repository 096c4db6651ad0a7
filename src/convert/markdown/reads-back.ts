import { type Inline, isLink, isText } from '../blocks/block.ts'
import type { BlockTable } from '../blocks/block-table.ts'
import { Dropped } from '../dropped.ts'
import { isSafeLink } from '../html/safe-url.ts'
import { markdownToBlocks } from './markdown-to-blocks.ts'

/**
 * Whether a paragraph of markdown reads back as this content, apart from marks that markdown lacks and blanks at edges.
 */
export function readsBack (markdown: string, content: readonly Inline[], table: BlockTable): boolean {
  const blocks = markdownToBlocks(markdown, table, new Dropped())
  const read = blocks.length === 1 && blocks[0]?.type === 'paragraph' ? blocks[0].content : undefined
  return Array.isArray(read) && signature(read, table) === signature(content, table)
}

/** The content in a form that can be compared: markdown's marks on all but blanks, without line breaks at its edges. */
function signature (content: readonly Inline[], table: BlockTable): string {
  const parts: Array<{ key: string, text: string }> = []
  const add = (key: string, text: string) => {
    const last = parts[parts.length - 1]
    if (last?.key === key) last.text += text
    else if (text !== '') parts.push({ key, text })
  }
  for (const inline of content) {
    const href = isLink(inline) && isSafeLink(inline.href) ? inline.href : ''
    for (const run of isLink(inline) ? inline.content : isText(inline) ? [inline] : []) {
      const isKnown = (name: string) => name === 'code' || table.marks.get(name)?.delimiter !== undefined
      const names = Object.keys(run.styles).filter(isKnown)
      const key = names.sort().join(' ')
      for (const part of run.text.split(/(\s+)/)) {
        const isBlank = part.trim() === '' && !names.includes('code')
        add(`${isBlank ? '' : key}[${part.includes('\n') ? '' : href}`, part)
      }
    }
    if (!isLink(inline) && !isText(inline)) add('', `\u{fffc}${typeof inline.content === 'string' ? inline.content : ''}`)
  }
  return parts.map(({ key, text }) => `${key}](${text}`).join('\n').replace(/^\[\]\(\n+/, '[](')
}
