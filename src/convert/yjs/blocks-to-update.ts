import type { Block, Inline, InlineElement, Props, Styles, TableContent, TextRun } from '../blocks/block.ts'
import { type BlockTable, isInlineList, type PropSpec } from '../blocks/block-table.ts'
import { StructWriter } from './struct-writer.ts'
import { cellProps } from '../blocks/shared-props.ts'
import { placeCells } from '../blocks/table-shape.ts'

/** BlockNote's name for the fragment that holds a document. */
export const defaultFragment = 'document-store'

/**
 * Writes blocks as a Yjs update (V1) of a new document, in one depth-first pass, without a Y.Doc. The origin of a child
 * is the last id of its left sibling, and an element's attributes and children follow it, so clocks only increase.
 * @param blocks complete ones, from `validateBlocks` or a reader
 */
export function blocksToUpdate (
  blocks: Iterable<Block>,
  table: BlockTable,
  fragment: string = defaultFragment
): Uint8Array {
  const writer = new UpdateWriter(table)
  writer.group(blocks, fragment, undefined)
  return writer.finish()
}

class UpdateWriter {
  readonly #table: BlockTable
  readonly #structs = new StructWriter(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)

  constructor (table: BlockTable) {
    this.#table = table
  }

  finish (): Uint8Array {
    return this.#structs.finish()
  }

  /** Writes a group, unless there are no blocks. */
  group (blocks: Iterable<Block>, parent: number | string, left: number | undefined): void {
    let group: number | undefined
    let last: number | undefined
    for (const block of blocks) {
      group ??= this.#structs.xmlElement('blockGroup', parent, left)
      last = this.#container(block, group, last)
    }
  }

  #container (block: Block, parent: number, left: number | undefined): number {
    const spec = this.#table.blocks.get(block.type)
    if (spec?.container === true) {
      const element = this.#structs.xmlElement(block.type, parent, left)
      this.#structs.attribute(element, 'id', block.id)
      this.#props(element, spec.props, block.props)
      let last: number | undefined
      for (const child of block.children) last = this.#container(child, element, last)
      return element
    }
    const container = this.#structs.xmlElement('blockContainer', parent, left)
    this.#structs.attribute(container, 'id', block.id)
    const content = this.#content(block, container)
    this.group(block.children, container, content)
    return container
  }

  #content (block: Block, container: number): number {
    const spec = this.#table.blocks.get(block.type)
    const element = this.#structs.xmlElement(block.type, container, undefined)
    this.#props(element, spec?.props ?? {}, block.props)
    if (isInlineList(block.content)) this.#inline(block.content, element, spec?.code)
    else if (block.content !== undefined) this.#rows(block.content, element)
    return element
  }

  /** Writes every prop that the table knows, an unset one as undefined, as the editor does. */
  #props (element: number, specs: Record<string, PropSpec>, props: Props): void {
    for (const name in specs) this.#structs.attribute(element, name, props[name])
  }

  #rows (content: TableContent, element: number): void {
    const { cells } = placeCells(content.rows)
    let left: number | undefined
    content.rows.forEach((row, index) => {
      left = this.#structs.xmlElement('tableRow', element, left)
      const parent = left
      let last: number | undefined
      row.cells.forEach((cell, position) => {
        const header = index < (content.headerRows ?? 0) || position < (content.headerCols ?? 0)
        const node = this.#structs.xmlElement(header ? 'tableHeader' : 'tableCell', parent, last)
        last = node
        this.#props(node, cellProps, cell.props)
        const column = cells[index]?.[position]?.column ?? 0
        const widths = cellWidths(content.columnWidths, column, Number(cell.props['colspan']))
        if (widths !== undefined) this.#structs.attribute(node, 'colwidth', widths)
        this.#inline(cell.content, this.#structs.xmlElement('tableParagraph', node, undefined))
      })
    })
  }

  #inline (content: readonly Inline[], parent: number, code = false): void {
    const children = new Children(this.#structs, parent, code)
    for (const inline of content) {
      if (inline.type === 'text') children.run(inline as TextRun, undefined)
      else if (inline.type === 'link' && 'href' in inline) {
        for (const run of inline.content) children.run(run, inline.href)
      } else if ('props' in inline) this.#element(inline, children)
    }
    children.end()
  }

  #element ({ type, props, content }: InlineElement, children: Children): void {
    const element = children.element(type)
    this.#props(element, this.#table.inline.get(type)?.props ?? {}, props)
    if (typeof content === 'string') this.#inline([{ type: 'text', text: content, styles: {} }], element, true)
    else if (content !== undefined) this.#inline(content, element)
  }
}

/** The children of one element of text: XmlTexts, and the elements between them. */
class Children {
  readonly #structs: StructWriter
  readonly #parent: number
  readonly #code: boolean
  /** The last child of the parent. */
  #left: number | undefined
  /** The XmlText being written, and the clock of its last unit. */
  #text: number | undefined
  #textLeft: number | undefined
  #marks = new Map<string, string>()

  constructor (structs: StructWriter, parent: number, code: boolean) {
    this.#structs = structs
    this.#parent = parent
    this.#code = code
  }

  run (run: TextRun, href: string | undefined): void {
    if (this.#code || !run.text.includes('\n')) return this.#write(run.text, run.styles, href)
    const lines = run.text.split('\n')
    lines.forEach((line, index) => {
      if (index > 0) this.element('hardBreak')
      this.#write(line, run.styles, href)
    })
  }

  element (name: string): number {
    this.end()
    this.#left = this.#structs.xmlElement(name, this.#parent, this.#left)
    return this.#left
  }

  /** Closes the XmlText. Its open marks are ended with null, as in Yjs. */
  end (): void {
    if (this.#text === undefined) return
    this.#setMarks(noMarks, this.#text)
    this.#text = undefined
  }

  #write (text: string, styles: Styles, href: string | undefined): void {
    if (text === '') return
    if (this.#text === undefined) {
      this.#text = this.#left = this.#structs.xmlText(this.#parent, this.#left)
      this.#textLeft = undefined
    }
    this.#setMarks(marksOf(styles, href), this.#text)
    this.#textLeft = this.#structs.characters(text, this.#text, this.#textLeft)
  }

  #setMarks (wanted: ReadonlyMap<string, string>, parent: number): void {
    for (const key of this.#marks.keys()) {
      if (wanted.has(key)) continue
      this.#textLeft = this.#structs.format(key, 'null', parent, this.#textLeft)
      this.#marks.delete(key)
    }
    for (const [key, value] of wanted) {
      if (this.#marks.get(key) === value) continue
      this.#textLeft = this.#structs.format(key, value, parent, this.#textLeft)
      this.#marks.set(key, value)
    }
  }
}

const noMarks: ReadonlyMap<string, string> = new Map()

/** Marks as Yjs formats: a key, and a value as JSON. */
function marksOf (styles: Styles, href: string | undefined): ReadonlyMap<string, string> {
  let marks: Map<string, string> | undefined
  for (const name in styles) {
    const value = styles[name]
    marks ??= new Map()
    marks.set(name, value === true ? '{}' : JSON.stringify({ stringValue: value }))
  }
  if (href !== undefined) {
    marks ??= new Map()
    marks.set('link', JSON.stringify({ href }))
  }
  return marks ?? noMarks
}

/** A cell's column widths: one for each column of a merged cell; undefined if a single column has none. */
function cellWidths (
  widths: ReadonlyArray<number | null>,
  column: number,
  colspan: number
): Array<number | undefined> | undefined {
  if (colspan > 1) return Array.from({ length: colspan }, (_, index) => widths[column + index] ?? undefined)
  const width = widths[column]
  return width === null || width === undefined ? undefined : [width]
}
