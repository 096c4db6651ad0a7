import type { PropSpec } from './block-table.ts'

export const backgroundColor: PropSpec = { default: 'default' }
export const textColor: PropSpec = { default: 'default' }
export const textAlignment: PropSpec = { default: 'left', values: ['left', 'center', 'right', 'justify'] }

/** What BlockNote gives to nearly every block of text. */
export const textProps = { backgroundColor, textColor, textAlignment }

/** What a table's cells carry; the widths of columns are kept with the table. */
export const cellProps: Record<string, PropSpec> = {
  colspan: { default: 1 },
  rowspan: { default: 1 },
  backgroundColor,
  textColor,
  textAlignment,
}
