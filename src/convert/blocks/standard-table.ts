import { type BlockExtensions, type BlockSpec, createBlockTable } from './block-table.ts'
import { columnBlocks } from './columns.ts'
import { docsBlocks } from './docs-blocks.ts'
import { mediaBlocks } from './media-blocks.ts'
import { textColor } from './shared-props.ts'
import { standardMarks } from './standard-marks.ts'
import { textBlocks } from './text-blocks.ts'

/** Rows and cells have a structure of their own, with readers and writers in the `…-table` modules. */
const table: BlockSpec = {
  type: 'table',
  content: 'table',
  props: { textColor },
  toHtml: ({ attributes, inline }) => `<table${attributes}>${inline}</table>`,
}

/** The blocks and marks of BlockNote 0.55, with its columns. */
export const blockNoteBlocks: BlockExtensions = {
  blocks: [...textBlocks, ...mediaBlocks, table, ...columnBlocks],
  marks: standardMarks,
}

/** The blocks and marks of BlockNote and La Suite Docs. */
export const standardTable = createBlockTable(blockNoteBlocks, docsBlocks)
