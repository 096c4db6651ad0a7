import fc from 'fast-check'
import type { Props, Styles } from '../../src/convert/blocks/block.ts'
import type { BlockSpec, BlockTable, InlineSpec, PropSpec } from '../../src/convert/blocks/block-table.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'

/** Text with everything that markdown, HTML and UTF-16 make difficult, without control characters. */
const fragment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'word', 'two words', 'snake_case', '1', '.', ' ', '-', 'é', 'שלום', '😀', '한', '"', "'") },
  { weight: 4, arbitrary: fc.constantFrom('*', '**', '_', '__', '`', '``', '~', '~~', '[', ']', '(', ')', '<', '>', '&', '&amp;', '\\', '!', '|', '#', '+', '=', ':', '---', '===', '1.', '1)', '> ', '- ', '# ', '    ', '<b>', '<!--', 'http://x.y', '![a](b)', '[ ]', '[x] ', '$', '$$', '$x$', '{', '^', '\u00a0', ';') },
  { weight: 2, arbitrary: fc.constantFrom('https://x.y/_a_(b)?c~d&copy=e.', 'www.x.y/*a*', 'me@x_y.example', 'mailto:a@b.c', 'xmpp:a@b.c/d', 'ftp://x.y', '[^1]', '[^1]: ', '[a]: ', '[a](b)', '[a][b]', '10~20', '~~~', '```', '***', '* ', '* * *', '[!NOTE]', '</b>', '<a b="c">', '<?', '&#42;', '&lt;', '\\|', '$5', '漢', '「') },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }).map((text) => text.replace(/\p{C}/gu, 'x')) }
)

const line = fc.array(fragment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))

/** Text that can hold line breaks. */
export const anyText = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'))

const color = fc.constantFrom('red', 'blue', '#123456', 'gray')
const address = fc.constantFrom('https://example.org/', 'https://example.org/a(b)?c=d&e=f#g', '/relative', 'mailto:a@b.c', 'https://example.org/with space', 'http://x.y/é', 'https://a.b/*_~`[]<>')

/** What random content can hold. */
export interface BlockOptions {
  /** Math, which an older BlockNote does not have. */
  math?: boolean
  /** Only what markdown can express: no colours, no underline, no blanks at the edges of marks. */
  markdown?: boolean
}

const isOn = fc.constant(true as const)
type MarkValues = Record<string, fc.Arbitrary<true | string>>
const markdownMarks: MarkValues = { bold: isOn, italic: isOn, strike: isOn, code: isOn }
const allMarks: MarkValues = { ...markdownMarks, underline: isOn, textColor: color, backgroundColor: color }

function styles ({ markdown }: BlockOptions): fc.Arbitrary<Styles> {
  const marks = markdown === true ? markdownMarks : allMarks
  return fc.subarray(Object.entries(marks)).chain((chosen) => fc.record<Styles>(Object.fromEntries(chosen)))
}

const run = (options: BlockOptions) => fc.record({
  type: fc.constant('text'),
  text: anyText,
  styles: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, styles(options)),
})

/** Inline content as JSON input. */
export function inlineContent (options: BlockOptions = {}) {
  const link = fc.record({ type: fc.constant('link'), href: address, content: fc.array(run(options), { minLength: 1, maxLength: 2 }) })
  const mention = fc.record({ type: fc.constant('interlinkingLinkInline'), props: fc.record({ docId: fc.constantFrom('', 'a-1'), title: fc.oneof(fc.constant(''), anyText), disabled: fc.boolean() }) })
  const math = fc.record({ type: fc.constant('math'), content: anyText })
  const content = options.markdown === true
    ? fc.oneof({ weight: 5, arbitrary: run(options) }, link)
    : fc.oneof({ weight: 6, arbitrary: run(options) }, link, mention, ...options.math === true ? [math] : [])
  return fc.array(content, { maxLength: 4 })
}

function propValue (name: string, spec: PropSpec): fc.Arbitrary<Props[string]> {
  if (spec.values !== undefined) return fc.constantFrom(...spec.values)
  const type = spec.type ?? typeof spec.default
  if (type === 'boolean') return fc.boolean()
  if (type === 'number') return fc.integer({ min: 1, max: 2000 })
  if (name === 'url') return address
  if (/Color$/.test(name)) return color
  return anyText
}

function propsFor (specs: Record<string, PropSpec>): fc.Arbitrary<Record<string, unknown>> {
  const values = Object.entries(specs).map(([name, spec]) => [name, propValue(name, spec)])
  return fc.record(Object.fromEntries(values), { requiredKeys: [] })
}

function tableContent (options: BlockOptions) {
  const cell = fc.record({
    type: fc.constant('tableCell'),
    content: inlineContent(options),
    props: fc.record({ colspan: fc.constantFrom(1, 1, 2), rowspan: fc.constantFrom(1, 1, 2), backgroundColor: color, textAlignment: fc.constantFrom('left', 'center', 'right') }, { requiredKeys: [] }),
  })
  const row = fc.record({ cells: fc.array(cell, { minLength: 1, maxLength: 3 }) })
  return fc.record({
    type: fc.constant('tableContent'),
    columnWidths: fc.array(fc.option(fc.integer({ min: 10, max: 400 })), { maxLength: 3 }),
    headerRows: fc.constantFrom(0, 1),
    headerCols: fc.constantFrom(0, 0, 1),
    rows: fc.array(row, { minLength: 1, maxLength: 3 }),
  })
}

/** Any nested blocks of the table as JSON input. @param wanted chooses the types */
export function anyBlocks (
  table: BlockTable = standardTable,
  wanted: (spec: BlockSpec | InlineSpec) => boolean = () => true
) {
  const inline = table.inline.get('math')
  const math = inline !== undefined && wanted(inline)
  const specs = [...table.blocks.values()].filter(wanted)
  const columns = (content: fc.Arbitrary<unknown[]>) => fc.record({
    type: fc.constant('columnList'),
    children: fc.array(fc.record({ type: fc.constant('column'), props: fc.record({ width: fc.double({ min: 0.1, max: 3 }) }, { requiredKeys: [] }), children: content }), { minLength: 1, maxLength: 3 }),
  })
  const { tree } = fc.letrec<{ tree: unknown[] }>((tie) => ({
    tree: fc.array(fc.oneof({ maxDepth: 3, depthIdentifier: 'blocks' }, ...specs.map((spec) => fc.record({
      type: fc.constant(spec.type),
      props: propsFor(spec.props),
      ...spec.content === 'inline' && { content: spec.code === true ? anyText : inlineContent({ math }) },
      ...spec.content === 'table' && { content: tableContent({ math }) },
      children: fc.oneof({ depthIdentifier: 'blocks', maxDepth: 3 }, fc.constant([]), tie('tree')),
    })), ...specs.some(({ type }) => type === 'columnList') ? [columns(tie('tree'))] : []), { maxLength: 4 }),
  }))
  return tree
}

/** Content in the form that is read from markdown: marked words without blanks at their edges. */
function sayableContent () {
  const words = fc.array(fragment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('').trim() || 'x')
  const item = fc.oneof(
    fc.record({ type: fc.constant('math'), content: words }),
    { weight: 3, arbitrary: fc.record({ type: fc.constant('text'), text: words, styles: fc.constant({}) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('text'), text: words, styles: styles({ markdown: true }) }) },
    fc.record({ type: fc.constant('link'), href: address, content: fc.array(fc.record({ type: fc.constant('text'), text: words, styles: styles({ markdown: true }) }), { minLength: 1, maxLength: 2 }) })
  )
  return fc.array(item, { minLength: 1, maxLength: 5 })
}

/** Blocks that markdown can express. Lists hold lists and other blocks; paragraphs are never empty. */
export function sayableBlocks () {
  const content = sayableContent()
  const level = fc.integer({ min: 1, max: 6 })
  const { tree } = fc.letrec<{ tree: unknown[] }>((tie) => {
    const children = fc.oneof({ depthIdentifier: 'sayable', maxDepth: 3 }, fc.constant([]), tie('tree'))
    return {
      tree: fc.array(fc.oneof(
        { maxDepth: 3, depthIdentifier: 'sayable' },
        fc.record({ type: fc.constant('paragraph'), content }),
        fc.record({ type: fc.constant('heading'), props: fc.record({ level }), content }),
        fc.record({ type: fc.constant('bulletListItem'), content, children }),
        fc.record({ type: fc.constant('numberedListItem'), content, children }),
        fc.record({ type: fc.constant('checkListItem'), props: fc.record({ checked: fc.boolean() }), content, children }),
        fc.record({ type: fc.constant('quote'), content }),
        fc.record({ type: fc.constant('codeBlock'), props: fc.record({ language: fc.constantFrom('text', 'js', 'c++', 'a b') }), content: anyText }),
        fc.record({ type: fc.constantFrom('mathBlock', 'diagram'), content: anyText }),
        fc.record({ type: fc.constant('divider') }),
        fc.record({ type: fc.constant('pageBreak') }),
        fc.record({ type: fc.constant('image'), props: fc.record({ url: address, name: anyText, caption: fc.constantFrom('', 'a caption', '<b>&"', 'two\n\n# lines') }) }),
        fc.record({ type: fc.constant('callout'), props: fc.record({ emoji: fc.constantFrom('💡', '🔥', '\n\n# a') }), content })
      ), { minLength: 1, maxLength: 4 }),
    }
  })
  return tree
}
