/** A prop's value, as Yjs stores it: a number is never a string. */
export type PropValue = string | number | boolean

/** The props of a block or inline element. A prop without a default is absent unless it was set. */
export type Props = Record<string, PropValue>

/** Marks of a run: `true` for a mark without a value (bold), otherwise the value (textColor). */
export type Styles = Record<string, string | true>

/** Characters with the same marks. A line break is "\n" and belongs to the run before it. */
export interface TextRun { type: 'text', text: string, styles: Styles }

/** A link holds text runs only. */
export interface Link { type: 'link', href: string, content: TextRun[] }

/** An element inside text that the block table names, such as a link to another document. */
export interface InlineElement {
  type: string
  props: Props
  /** A string if the table says `plain`, as in BlockNote's JSON; absent for `none`. */
  content?: TextRun[] | string
}

/** One part of inline content. */
export type Inline = TextRun | Link | InlineElement

/** A cell of a table. */
export interface TableCell { type: 'tableCell', content: Inline[], props: Props }

/** The content of a table. */
export interface TableContent {
  type: 'tableContent'
  /** Pixels by column; null for a column that takes the space that is left. */
  columnWidths: Array<number | null>
  headerRows?: number
  headerCols?: number
  rows: Array<{ cells: TableCell[] }>
}

/** One complete block: it has every prop with a default, and the content of its type. */
export interface Block {
  id: string
  type: string
  props: Props
  content?: Inline[] | TableContent
  children: Block[]
}

/** An inline element's own text, without marks. */
export function elementText ({ content = '' }: InlineElement): string {
  return typeof content === 'string' ? content : content.map((run) => run.text).join('')
}

/** Whether it is a run of text. */
export function isText (inline: Inline): inline is TextRun {
  return inline.type === 'text'
}

/** Whether it is a link. */
export function isLink (inline: Inline): inline is Link {
  return inline.type === 'link'
}

/** Whether two runs have the same marks with the same values, in any order. */
export function sameStyles (a: Styles, b: Styles): boolean {
  let names = 0
  for (const name in a) {
    if (a[name] !== b[name]) return false
    names++
  }
  return names === Object.keys(b).length
}
