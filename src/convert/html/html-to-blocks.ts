import type { Block } from '../blocks/block.ts'
import type { BlockTable } from '../blocks/block-table.ts'
import type { Dropped } from '../dropped.ts'
import { elementsToBlocks } from './elements-to-blocks.ts'
import { readHtml } from './read-html.ts'

/**
 * Reads the blocks of a page or of a part of one, as a browser would read it.
 * @throws InvalidContent if elements are nested deeper than in a browser
 */
export function htmlToBlocks (html: string, table: BlockTable, dropped: Dropped): Block[] {
  return elementsToBlocks(readHtml(html, dropped), table, dropped)
}
