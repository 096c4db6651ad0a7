import type { Block } from './blocks/block.ts'
import type { BlockTable } from './blocks/block-table.ts'
import { blocksToHtml } from './html/blocks-to-html.ts'
import { blocksToMarkdown } from './markdown/blocks-to-markdown.ts'
import { blocksToText } from './blocks/blocks-to-text.ts'
import { blocksToUpdate } from './yjs/blocks-to-update.ts'
import { InvalidContent } from './conversion-failure.ts'
import { Dropped, type DroppedItem } from './dropped.ts'
import type { InputFormat, OutputFormat } from './formats.ts'
import { htmlToBlocks } from './html/html-to-blocks.ts'
import { markdownToBlocks, markdownToUpdate } from './markdown/markdown-to-blocks.ts'
import type { MarkdownOptions } from './markdown/markdown-to-elements.ts'
import { withoutMath } from './blocks/math-blocks.ts'
import { updateToBlocks } from './yjs/update-to-blocks.ts'
import { validateBlocks } from './blocks/validate-blocks.ts'

/** A document to convert. */
export interface ConvertRequest extends MarkdownOptions {
  /** The root type that holds the document; `document-store` by default. */
  fragment?: string
  /** The web application's origin, for links between documents. */
  origin?: string
  /**
   * Whether math and diagrams in markdown and HTML become nodes of their own, which older editors delete; otherwise
   * they become text and code.
   */
  math?: boolean
  input: Uint8Array
  from: InputFormat
  to: OutputFormat
}

/** The result of a conversion. */
export interface Converted {
  /** UTF-8, or a Yjs update (V1). */
  body: Uint8Array
  /** What the output cannot express, each kind with its count; empty if nothing is lost. */
  dropped: DroppedItem[]
}

const utf8 = new TextEncoder()

/**
 * Converts a document from one format to another.
 * @throws InvalidContent if the input is not in the format of `from`
 */
export function convert (request: ConvertRequest, table: BlockTable): Converted {
  const dropped = new Dropped()
  const { from, to, input, fragment } = request
  if (from === 'markdown' && to === 'yjs') {
    const reader = readerTable(request, table)
    const body = markdownToUpdate(textOf(input), reader, dropped, fragment, markdownOptions(request))
    return { body, dropped: dropped.list() }
  }
  const blocks = readBlocks(request, table, dropped)
  return { body: writeBlocks(blocks, request, table, dropped), dropped: dropped.list() }
}

function markdownOptions ({ softBreaks }: MarkdownOptions): MarkdownOptions {
  return softBreaks === undefined ? {} : { softBreaks }
}

/** The table for reading text. Only reading depends on `math`, not what is written. */
function readerTable ({ math = false }: Pick<ConvertRequest, 'math'>, table: BlockTable): BlockTable {
  return math ? table : withoutMath(table)
}

/** Reads the blocks of the input. @throws InvalidContent if it is not in the format of `from` */
export function readBlocks (request: Omit<ConvertRequest, 'to'>, table: BlockTable, dropped: Dropped): Block[] {
  const { input, from, fragment } = request
  switch (from) {
    case 'yjs':
      return updateToBlocks(input, table, dropped, fragment)
    case 'json':
      return validateBlocks(parseJson(textOf(input)), table, dropped)
    case 'html':
      return htmlToBlocks(textOf(input), readerTable(request, table), dropped)
    case 'markdown':
      return markdownToBlocks(textOf(input), readerTable(request, table), dropped, markdownOptions(request))
  }
}

/** Writes blocks in the format of `to`. */
export function writeBlocks (
  blocks: readonly Block[],
  request: Omit<ConvertRequest, 'input' | 'from'>,
  table: BlockTable,
  dropped: Dropped
): Uint8Array {
  const { to, fragment, origin } = request
  switch (to) {
    case 'yjs':
      return blocksToUpdate(blocks, table, fragment)
    case 'json':
      return utf8.encode(JSON.stringify(blocks))
    case 'html':
      return utf8.encode(blocksToHtml(blocks, table, dropped, origin))
    case 'markdown':
      return utf8.encode(blocksToMarkdown(blocks, table, dropped, origin))
    case 'text':
      return utf8.encode(blocksToText(blocks, table, dropped))
  }
}

/** Decodes text, and drops a byte order mark. */
function textOf (input: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input)
  } catch {
    throw new InvalidContent('The content is not UTF-8')
  }
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The parser's own message quotes the document.
    throw new InvalidContent('The content is not JSON')
  }
}
