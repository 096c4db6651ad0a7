import { randomUUID } from 'node:crypto'
import { append } from '../append.ts'
import { type Block, elementText, type Inline, isLink, isText, type Props, type Styles, type TableCell, type TableContent, type TextRun } from '../blocks/block.ts'
import { type BlockSpec, type BlockTable, countUnread, defaultProps, type PropSpec, readProps } from '../blocks/block-table.ts'
import { defaultFragment } from './blocks-to-update.ts'
import { tidyColumns } from '../blocks/columns.ts'
import type { Dropped } from '../dropped.ts'
import { InlineBuilder } from '../blocks/inline-builder.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxBlockDepth } from '../limits.ts'
import { readDocument } from './read-document.ts'
import { readSimpleUpdate } from './read-simple-update.ts'
import { cellProps } from '../blocks/shared-props.ts'
import { type Formats, isStoredText, type StoredElement, type StoredNode } from './stored-node.ts'
import { boundSpans, countHeaders, span } from '../blocks/table-shape.ts'
import { readUnknownProps } from './unknown-props.ts'

/**
 * Reads the blocks of a document from a Yjs update (V1) that holds all of it. Unknown types keep their text, and are
 * counted.
 * @throws InvalidContent if the update does not decode or is nested too deep
 */
export function updateToBlocks (
  update: Uint8Array,
  table: BlockTable,
  dropped: Dropped,
  fragment: string = defaultFragment
): Block[] {
  const nodes = readSimpleUpdate(update, fragment) ?? readDocument(update, fragment, dropped)
  return tidyColumns(nodesToBlocks(nodes, table, dropped), table, dropped)
}

/**
 * Reads the blocks of a fragment's children, without tidying columns.
 * @param onBlock called with each block and the element that holds its content
 * @throws InvalidContent if they are nested too deep
 */
export function nodesToBlocks (
  nodes: readonly StoredNode[],
  table: BlockTable,
  dropped: Dropped,
  onBlock?: OnBlock
): Block[] {
  const [first, ...others] = nodes
  // Two clients that fill an empty document at the same time leave two groups, of which BlockNote shows the first.
  for (const other of others) {
    dropped.add('content', isStoredText(other) ? 'text beside the document' : `second ${other.name}`)
  }
  return first === undefined ? [] : new NodeReader(table, dropped, onBlock).group(first, 0)
}

type OnBlock = (block: Block, content: StoredElement) => void

class NodeReader {
  readonly #table: BlockTable
  readonly #dropped: Dropped
  readonly #onBlock: OnBlock | undefined
  /** The styles of formats, which many runs share. */
  readonly #read = new Map<Formats, { styles: Styles, href?: string }>()

  constructor (table: BlockTable, dropped: Dropped, onBlock: OnBlock | undefined) {
    this.#table = table
    this.#dropped = dropped
    this.#onBlock = onBlock
  }

  group (node: StoredNode, depth: number): Block[] {
    if (depth > maxBlockDepth) throw new InvalidContent('Blocks are nested too deep')
    if (isStoredText(node)) {
      this.#dropped.add('content', 'text outside of blocks')
      return []
    }
    if (node.name === 'blockContainer') return this.#container(node, depth)
    if (node.name !== 'blockGroup') return this.#content(node, undefined, depth)
    const blocks: Block[] = []
    for (const child of node.children) append(blocks, this.group(child, depth))
    return blocks
  }

  /** Reads a container, usually as one block. Further contents, which a conflict can leave, are blocks of their own. */
  #container (container: StoredElement, depth: number): Block[] {
    const blocks: Block[] = []
    const children: Block[] = []
    for (const node of container.children) {
      if (isStoredText(node)) this.#dropped.add('content', 'text outside of blocks')
      else if (node.name === 'blockGroup') append(children, this.group(node, depth + 1))
      else append(blocks, this.#content(node, blocks.length === 0 ? container.attributes['id'] : undefined, depth))
    }
    // The children of an invisible block take its place.
    const last = blocks[blocks.length - 1]
    if (last === undefined) return children
    append(last.children, children)
    return blocks
  }

  #content (node: StoredElement, id: unknown, depth: number): Block[] {
    const spec = this.#table.blocks.get(node.name)
    if (spec === undefined) return this.#unknownBlock(node, id, depth)
    const block = spec.container === true ? this.#holder(spec, node, depth) : this.#block(spec, node, id)
    this.#onBlock?.(block, node)
    return [block]
  }

  #holder (spec: BlockSpec, { attributes: { id, ...attributes }, children }: StoredElement, depth: number): Block {
    const blocks: Block[] = []
    for (const child of children) append(blocks, this.group(child, depth + 1))
    return { id: idOf(id), type: spec.type, props: this.#props(spec.props, attributes), children: blocks }
  }

  /** Reads a block of unknown type: sources and addresses in its props, then its text and the blocks in it. */
  #unknownBlock (node: StoredElement, id: unknown, depth: number): Block[] {
    const { sources, addresses, rest } = readUnknownProps(node.attributes)
    const specs = this.#table.blocks.get('paragraph')?.props ?? {}
    const blocks: Block[] = []
    const add = (type: string, props: Props, content: Inline[]) => {
      const block = { id: idOf(blocks.length === 0 ? id : undefined), type, props, content, children: [] }
      this.#onBlock?.(block, node)
      blocks.push(block)
    }
    const codeSpecs = this.#table.blocks.get('codeBlock')?.props ?? {}
    for (const text of sources) add('codeBlock', defaultProps(codeSpecs), [{ type: 'text', text, styles: {} }])
    for (const href of addresses) {
      add('paragraph', readProps(specs, rest), [{ type: 'link', href, content: [{ type: 'text', text: href, styles: {} }] }])
    }
    // Beside text an element is part of the line; without text elements are lines of their own.
    const inLine = node.children.some(isStoredText)
    let builder = new InlineBuilder()
    const endParagraph = () => {
      if (!builder.isEmpty) add('paragraph', readProps(specs, rest), builder.finish())
      builder = new InlineBuilder()
    }
    for (const child of node.children) {
      if (this.#isInline(child, inLine)) this.#inlineNode(child, builder, this.#table.inline)
      else {
        endParagraph()
        append(blocks, this.group(child, depth + 1))
      }
    }
    endParagraph()
    countUnread(specs, rest, this.#dropped)
    this.#dropped.add(blocks.length > 0 ? 'format' : 'content', `element ${node.name}`)
    return blocks
  }

  #isInline (node: StoredNode, inLine: boolean): boolean {
    if (isStoredText(node) || node.name === 'hardBreak' || this.#table.inline.has(node.name)) return true
    return inLine && node.name !== 'blockGroup' && node.name !== 'blockContainer' && !this.#table.blocks.has(node.name)
  }

  #block (spec: BlockSpec, node: StoredElement, id: unknown): Block {
    const { type } = spec
    const props = this.#props(spec.props, node.attributes)
    if (spec.content === 'none') return { id: idOf(id), type, props, children: [] }
    const content = spec.content === 'table' ? this.#rows(node) : this.#inline([node], spec.code)
    return { id: idOf(id), type, props, content, children: [] }
  }

  #props (specs: Record<string, PropSpec>, attributes: StoredElement['attributes']): Props {
    countUnread(specs, attributes, this.#dropped)
    return readProps(specs, attributes)
  }

  /** The content of one element, or of several joined by line breaks. */
  #inline (parents: readonly StoredElement[], code?: boolean): Inline[] {
    const builder = new InlineBuilder(code)
    parents.forEach((parent, index) => {
      if (index > 0) builder.text('\n', {})
      for (const child of parent.children) this.#inlineNode(child, builder, this.#table.inline)
    })
    return builder.finish()
  }

  /** The runs of an inline element's own text. Elements within it keep only their text. */
  #runs (parent: StoredElement): TextRun[] {
    const builder = new InlineBuilder()
    for (const child of parent.children) this.#inlineNode(child, builder, noElements)
    return builder.finish().flatMap((inline) => isText(inline) ? [inline] : isLink(inline) ? inline.content : [])
  }

  #inlineNode (node: StoredNode, builder: InlineBuilder, elements: BlockTable['inline'], depth = 0): void {
    if (isStoredText(node)) {
      if (node.embeds > 0) this.#dropped.add('content', 'object in text', node.embeds)
      for (const run of node.runs) {
        const { styles, href } = this.#styles(run.formats)
        builder.text(run.text, styles, href)
      }
      return
    }
    if (node.name === 'hardBreak') return builder.text('\n', {})
    const spec = elements.get(node.name)
    if (spec === undefined) return this.#unknownInline(node, builder, elements, depth)
    const props = this.#props(spec.props, node.attributes)
    if (spec.content === 'none') return builder.element({ type: spec.type, props })
    const element = { type: spec.type, props, content: this.#runs(node) }
    builder.element(spec.content === 'plain' ? { ...element, content: elementText(element) } : element)
  }

  /** Reads an unknown element in a line of text, whose text stays in the line. */
  #unknownInline (node: StoredElement, builder: InlineBuilder, elements: BlockTable['inline'], depth: number): void {
    if (depth > maxBlockDepth) throw new InvalidContent('Elements are nested too deep')
    const { sources, addresses } = readUnknownProps(node.attributes)
    const isShown = node.children.length + sources.length + addresses.length > 0
    this.#dropped.add(isShown ? 'format' : 'content', `element ${node.name}`)
    for (const text of sources) builder.text(text, {})
    for (const address of addresses) builder.text(address, {}, address)
    for (const child of node.children) this.#inlineNode(child, builder, elements, depth + 1)
  }

  #styles (formats: Formats): { styles: Styles, href?: string } {
    const known = this.#read.get(formats)
    if (known !== undefined) return known
    const read: { styles: Styles, href?: string } = { styles: {} }
    for (const key in formats) {
      // y-prosemirror gives marks that can overlap each other names such as `comment--<hash>`.
      const name = key.split('--', 1)[0] ?? key
      const value = formats[key]
      const spec = this.#table.marks.get(name)
      if (name === 'link') {
        const href = field(value, 'href')
        if (href !== undefined) read.href = href
      } else if (spec === undefined) this.#dropped.add('format', `mark ${name}`)
      else if (spec.hidden !== true && value !== false) {
        const text = spec.value === 'string' ? field(value, 'stringValue') : undefined
        if (spec.value === 'boolean') read.styles[name] = true
        else if (text !== undefined && text !== '') read.styles[name] = text
      }
    }
    this.#read.set(formats, read)
    return read
  }

  #rows (node: StoredElement): TableContent {
    let first: StoredElement[] | undefined
    const headers: boolean[][] = []
    const rows: TableContent['rows'] = []
    for (const row of this.#elements(node, ['tableRow'])) {
      const nodes = this.#elements(row, ['tableHeader', 'tableCell'])
      if (nodes.length === 0) continue
      const cells = nodes.map((cell) => this.#cell(cell))
      first ??= nodes
      headers.push(nodes.map((cell) => cell.name === 'tableHeader'))
      rows.push({ cells })
    }
    if (boundSpans(rows)) this.#dropped.add('format', 'merged cell')
    const columnWidths = (first ?? []).flatMap((cell, index) => {
      return widthsOf(cell, Number(rows[0]?.cells[index]?.props['colspan']))
    })
    return { type: 'tableContent', columnWidths, ...countHeaders(headers), rows }
  }

  #cell (node: StoredElement): TableCell {
    const { colwidth: _, ...attributes } = node.attributes
    const props = this.#props(cellProps, attributes)
    props['colspan'] = span(props['colspan'])
    props['rowspan'] = span(props['rowspan'])
    return { type: 'tableCell', content: this.#inline(this.#elements(node, ['tableParagraph'])), props }
  }

  #elements (parent: StoredElement, names: readonly string[]): StoredElement[] {
    const elements: StoredElement[] = []
    for (const child of parent.children) {
      if (!isStoredText(child) && names.includes(child.name)) elements.push(child)
      else this.#dropped.add('content', isStoredText(child) ? 'text outside of cells' : `element ${child.name}`)
    }
    return elements
  }
}

function idOf (id: unknown): string {
  return typeof id === 'string' ? id : randomUUID()
}

const noElements: BlockTable['inline'] = new Map()

/** The string under a key of a mark's value. Some writers store the string itself. */
function field (value: unknown, key: string): string | undefined {
  if (typeof value === 'string') return value
  // The result is checked.
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  return typeof found === 'string' ? found : undefined
}

function widthsOf (cell: StoredElement, colspan: number): Array<number | null> {
  const given: unknown = cell.attributes['colwidth']
  const widths: unknown[] = Array.isArray(given) ? given : []
  return Array.from({ length: colspan }, (_, index) => {
    const width = widths[index]
    return typeof width === 'number' && width > 0 ? width : null
  })
}
