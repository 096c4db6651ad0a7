import { randomUUID } from 'node:crypto'
import { type Block, elementText, type Inline, isText, type Props, type Styles, type TableCell, type TableContent } from './block.ts'
import { type BlockSpec, type BlockTable, countUnread, type PropSpec, readProps } from './block-table.ts'
import { tidyColumns } from './columns.ts'
import type { Dropped } from '../dropped.ts'
import { InlineBuilder } from './inline-builder.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxBlockDepth } from '../limits.ts'
import { cellProps } from './shared-props.ts'
import { boundSpans, countHeaders, span } from './table-shape.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Reads block JSON, which can be partial as in BlockNote's API (content as a string, no type, no id, missing props),
 * into complete blocks. A repeated id is replaced, since an editor keys its blocks by id.
 * @throws InvalidContent if it is no list of known blocks or nested too deep
 */
export function validateBlocks (input: unknown, table: BlockTable, dropped: Dropped): Block[] {
  return tidyColumns(new Validator(table, dropped).blocks(input, 0), table, dropped)
}

class Validator {
  readonly #table: BlockTable
  readonly #dropped: Dropped
  readonly #ids = new Set<string>()

  constructor (table: BlockTable, dropped: Dropped) {
    this.#table = table
    this.#dropped = dropped
  }

  blocks (input: unknown, depth: number): Block[] {
    if (!Array.isArray(input)) throw new InvalidContent('Blocks must be a list')
    if (depth >= maxBlockDepth && input.length > 0) throw new InvalidContent('Blocks are nested too deep')
    return input.map((block) => this.#block(block, depth))
  }

  #block (input: unknown, depth: number): Block {
    if (!isObject(input)) throw new InvalidContent('A block must be an object')
    const type = input['type'] ?? 'paragraph'
    const spec = typeof type === 'string' ? this.#table.blocks.get(type) : undefined
    if (spec === undefined) throw new InvalidContent('A block has an unknown type')
    const props = input['props'] ?? {}
    if (!isObject(props)) throw new InvalidContent('Props must be an object')
    const block: Block = { id: this.#id(input['id']), type: spec.type, props: this.#props(spec.props, props), children: [] }
    const content = this.#content(spec, input['content'])
    const children = this.blocks(input['children'] ?? [], depth + 1)
    if (content === undefined) return { ...block, children }
    // Yjs, JSON and tests read the keys in this order.
    return { id: block.id, type: block.type, props: block.props, content, children }
  }

  #props (specs: Record<string, PropSpec>, given: Json): Props {
    countUnread(specs, given, this.#dropped)
    return readProps(specs, given)
  }

  #id (given: unknown): string {
    const id = typeof given === 'string' && given !== '' && !this.#ids.has(given) ? given : randomUUID()
    this.#ids.add(id)
    return id
  }

  #content (spec: BlockSpec, content: unknown): Block['content'] {
    if (spec.content === 'none') {
      this.#countContent(spec.type, content)
      return undefined
    }
    if (spec.content === 'table') return this.#tableContent(content)
    return this.#inline(content, spec.code)
  }

  /** Counts content of a type that has none. */
  #countContent (type: string, content: unknown): void {
    const isEmpty = content === undefined || content === null || content === '' || (Array.isArray(content) && content.length === 0)
    if (!isEmpty) this.#dropped.add('content', `content of ${type}`)
  }

  #inline (content: unknown, code = false): Inline[] {
    const builder = new InlineBuilder(code)
    if (content === undefined || content === null) return []
    if (typeof content === 'string') builder.text(content, {})
    else if (Array.isArray(content)) for (const inline of content) this.#inlineItem(inline, builder)
    else throw new InvalidContent('Content must be text or a list')
    return builder.finish()
  }

  #inlineItem (inline: unknown, builder: InlineBuilder): void {
    if (typeof inline === 'string') return builder.text(inline, {})
    if (!isObject(inline)) throw new InvalidContent('Inline content must be an object')
    const type = inline['type']
    if (type === 'text') return this.#run(inline, builder)
    if (type === 'link') {
      const href = inline['href']
      if (typeof href !== 'string') throw new InvalidContent('A link must have an address')
      const runs = this.#runs(inline['content'])
      for (const run of runs) this.#run(run, builder, href)
      // A line break is an element of its own in Yjs, so it has no address.
      const isEmpty = runs.every(({ text }) => /^\n*$/.test(String(text)))
      if (href !== '' && isEmpty) this.#dropped.add('format', 'link without text')
      return
    }
    const spec = typeof type === 'string' ? this.#table.inline.get(type) : undefined
    if (spec === undefined) throw new InvalidContent('Inline content has an unknown type')
    const given = inline['props'] ?? {}
    if (!isObject(given)) throw new InvalidContent('Props must be an object')
    const props = this.#props(spec.props, given)
    if (spec.content === 'none') {
      this.#countContent(spec.type, inline['content'])
      return builder.element({ type: spec.type, props })
    }
    const runs = new InlineBuilder()
    for (const run of this.#runs(inline['content'])) this.#run(run, runs)
    const element = { type: spec.type, props, content: runs.finish().filter(isText) }
    if (spec.content === 'styled') return builder.element(element)
    for (const { styles } of element.content) for (const name in styles) this.#dropped.add('format', `mark ${name}`)
    builder.element({ ...element, content: elementText(element) })
  }

  #runs (content: unknown): Json[] {
    if (typeof content === 'string') return [{ type: 'text', text: content }]
    const runs = content ?? []
    if (!Array.isArray(runs) || !runs.every(isObject)) throw new InvalidContent('Content must be text or a list')
    return runs
  }

  #run (run: Json, builder: InlineBuilder, href?: string): void {
    const text = run['text']
    if (typeof text !== 'string') throw new InvalidContent('A text run must have text')
    builder.text(text, this.#styles(run['styles']), href)
  }

  #styles (given: unknown): Styles {
    const styles: Styles = {}
    if (given === undefined || given === null) return styles
    if (!isObject(given)) throw new InvalidContent('Styles must be an object')
    for (const name of Object.keys(given)) {
      const value = given[name]
      if (value === false || value === '' || value === undefined || value === null) continue
      const spec = this.#table.marks.get(name)
      if (spec === undefined || spec.hidden === true) this.#dropped.add('format', `mark ${name}`)
      else if (spec.value === 'boolean') styles[name] = true
      else if (typeof value === 'string') styles[name] = value
      else this.#dropped.add('format', `mark ${name}`)
    }
    return styles
  }

  #tableContent (content: unknown): TableContent {
    if (!isObject(content) || !Array.isArray(content['rows']) || content['rows'].length === 0) throw new InvalidContent('A table must have rows')
    const rows = content['rows'].map((row) => {
      if (!isObject(row) || !Array.isArray(row['cells']) || row['cells'].length === 0) throw new InvalidContent('A table row must have cells')
      return { cells: row['cells'].map((cell) => this.#cell(cell)) }
    })
    if (boundSpans(rows)) this.#dropped.add('format', 'merged cell')
    return completeTable(rows, content['headerRows'], content['headerCols'], content['columnWidths'])
  }

  #cell (cell: unknown): TableCell {
    if (isObject(cell)) {
      const props = this.#props(cellProps, isObject(cell['props']) ? cell['props'] : {})
      props['colspan'] = span(props['colspan'])
      props['rowspan'] = span(props['rowspan'])
      return { type: 'tableCell', content: this.#inline(cell['content']), props }
    }
    return { type: 'tableCell', content: this.#inline(cell), props: readProps(cellProps, {}) }
  }
}

/** A table's content with a width for each column of its first row, and headers counted as they will be read back. */
function completeTable (rows: TableContent['rows'], headerRows: unknown, headerCols: unknown, widths: unknown): TableContent {
  const given: unknown[] = Array.isArray(widths) ? widths : []
  const columnWidths: Array<number | null> = []
  for (const cell of rows[0]?.cells ?? []) {
    for (let index = 0; index < Number(cell.props['colspan']); index++) {
      const width = given[columnWidths.length]
      columnWidths.push(typeof width === 'number' && width > 0 && Number.isFinite(width) ? width : null)
    }
  }
  const rowCount = typeof headerRows === 'number' ? headerRows : 0
  const columnCount = typeof headerCols === 'number' ? headerCols : 0
  const matrix = rows.map((row, index) => row.cells.map((_, column) => index < rowCount || column < columnCount))
  return { type: 'tableContent', columnWidths, ...countHeaders(matrix), rows }
}

function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
