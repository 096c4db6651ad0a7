import type { Block } from '../blocks/block.ts'
import type { BlockTable } from '../blocks/block-table.ts'
import type { Dropped } from '../dropped.ts'
import { elementsToBlocks } from './elements-to-blocks.ts'
import { readHtml } from './read-html.ts'

/**
 * Reads the blocks of a page or a piece of one; whatever a browser would accept is read as it would read it.
 * @throws InvalidContent when elements nest beyond what a browser keeps
 */
export function htmlToBlocks (html: string, table: BlockTable, dropped: Dropped): Block[] {
  return elementsToBlocks(readHtml(html, dropped), table, dropped)
}
