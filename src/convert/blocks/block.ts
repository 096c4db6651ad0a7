/** A prop's value, as Yjs stores it: typed, never a string that stands for a number. */
export type PropValue = string | number | boolean

/** A block's or inline element's props. A prop without a default that was not set is absent. */
export type Props = Record<string, PropValue>

/** Marks of a run: `true` for a mark without a value (bold), the value for one with (textColor). */
export type Styles = Record<string, string | true>

/** Characters with one set of marks. A line break is "\n" and belongs to the run before it. */
export interface TextRun { type: 'text', text: string, styles: Styles }

/** A link holds text runs only. */
export interface Link { type: 'link', href: string, content: TextRun[] }

/** An element inside text that the block table names, such as a link to another document. */
export interface InlineElement {
  type: string
  props: Props
  /** A string where the table says `plain`, as in BlockNote's JSON; absent for `none`. */
  content?: TextRun[] | string
}

export type Inline = TextRun | Link | InlineElement

export interface TableCell { type: 'tableCell', content: Inline[], props: Props }

export interface TableContent {
  type: 'tableContent'
  /** Pixels by column; null where the column takes what is left. */
  columnWidths: Array<number | null>
  headerRows?: number
  headerCols?: number
  rows: Array<{ cells: TableCell[] }>
}

/** One block in full: every prop that has a default is there, content as its type says. */
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

export function isText (inline: Inline): inline is TextRun {
  return inline.type === 'text'
}

export function isLink (inline: Inline): inline is Link {
  return inline.type === 'link'
}

/** Two style sets are equal when they hold the same marks with the same values, in any order. */
export function sameStyles (a: Styles, b: Styles): boolean {
  let names = 0
  for (const name in a) {
    if (a[name] !== b[name]) return false
    names++
  }
  return names === Object.keys(b).length
}
