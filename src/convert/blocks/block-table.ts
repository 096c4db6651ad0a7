import type { Inline, Props, PropValue } from './block.ts'
import type { Dropped } from '../dropped.ts'
import type { Element } from '../html/element.ts'

/** One prop of a block or inline element. */
export interface PropSpec {
  default?: PropValue
  /** Required for a prop without a default, which is optional. */
  type?: 'string' | 'number' | 'boolean'
  /** All allowed values; any other is read as the default. */
  values?: readonly PropValue[]
}

/** The input of a spec's HTML writer: parts that are already escaped for use between tags. */
export interface HtmlParts {
  props: Props
  /** ` data-…="…" style="…"` for every prop that differs from its default; starts with a blank unless it is empty. */
  attributes: string
  /** The inline content as HTML. */
  inline: string
  /** The children inside this element as HTML, see `BlockSpec.childrenInside`. */
  children: string
  /** Escapes a prop for an attribute or for text. */
  escape: (text: string) => string
  /** Counts what HTML cannot express of this block, such as an address that could run code. */
  drop: (what: string, kind?: 'content' | 'format') => void
  /** The origin of the web application, without a trailing slash; empty if none is configured. */
  origin: string
}

/** The input of a spec's markdown writer, which returns markdown without indentation. */
export interface MarkdownParts {
  props: Props
  /** The inline content as markdown, escaped for the start of a line. */
  inline: string
  /** The inline content as HTML on one line, for blocks without a notation in markdown. */
  html: string
  /** The inline content without marks. */
  text: string
  /** Escapes text so that markdown reads it back unchanged. */
  escape: (text: string) => string
  /** Escapes text for an HTML attribute or element. */
  escapeHtml: (text: string) => string
  /** Counts what markdown cannot express of this block. */
  drop: (what: string, kind?: 'content' | 'format') => void
  origin: string
}

/** The result of a spec's HTML reader. */
export interface Found {
  /** Those that differ from the defaults. */
  props: Record<string, PropValue | undefined>
  /** The element whose children are the content, if it is not the one that was read. */
  content?: Element
}

/** How one type of block is stored, read and written. */
export interface BlockSpec {
  type: string
  /** `inline`: text; `none`: props only; `table` is for BlockNote's table alone. */
  content: 'inline' | 'none' | 'table'
  props: Record<string, PropSpec>
  /** Its text has no marks, and its line breaks are characters, as in a program. */
  code?: boolean
  /** Consecutive blocks of the same list share one element. */
  list?: 'ul' | 'ol'
  /**
   * Which children are written inside this block's element: `all`, or only leading `lists`. Others follow it with
   * `data-nesting-level`.
   */
  childrenInside?: 'all' | 'lists'
  /**
   * It holds only blocks: its element is a child of the group, without a container, and the blocks are its children.
   */
  container?: boolean
  /** It shows the state of an editor and no content: it is left out of HTML, markdown and text, and counted. */
  transient?: boolean
  toHtml: (parts: HtmlParts) => string
  /** The elements that can be this block, and how to read them. The generic `data-*` props are read already. */
  fromHtml?: { tags: readonly string[], read: (element: Element) => Found | undefined }
  /** Without it, the inline content is a paragraph. */
  toMarkdown?: (parts: MarkdownParts) => string
  /** A fenced code block with this language is this block; its text is the content or the named prop. */
  fromFence?: { language: string, prop?: string }
  /** Without it, the text is the inline content. */
  toText?: (props: Props, text: string) => string
}

/** How one type of element inside text is stored, read and written. */
export interface InlineSpec {
  type: string
  /** `styled`: text with marks; `plain`: a source such as LaTeX; `none`: props only. */
  content: 'none' | 'styled' | 'plain'
  props: Record<string, PropSpec>
  toHtml: (parts: HtmlParts) => string
  fromHtml?: BlockSpec['fromHtml']
  toMarkdown?: (parts: MarkdownParts) => string
  toText?: (props: Props, text: string) => string
}

/** How a mark on text is stored, read and written. Marks nest in the order of the table, outermost first. */
export interface MarkSpec {
  type: string
  /** `string`: the mark has a value, stored as `{ stringValue }`. */
  value: 'boolean' | 'string'
  toHtml: (value: string, inner: string, escape: (text: string) => string) => string
  /**
   * The elements with this mark. `read` returns the value, `true` for a mark without one, and undefined if the element
   * does not have the mark. `style` reads every element with a `style` attribute, and can also return `false` to end a
   * mark of an outer element.
   */
  fromHtml?: {
    tags: readonly string[]
    read: (element: Element) => string | true | undefined
    style?: (element: Element) => string | boolean | undefined
  }
  /** The delimiter that opens and closes it in markdown. Without it, markdown cannot express the mark. */
  delimiter?: '**' | '*' | '~~'
  /** No reader sees it, as with a comment's anchor: its text stays, and nothing is counted. */
  hidden?: boolean
}

/** Types to add to a block table. They replace existing types of the same name. */
export interface BlockExtensions {
  blocks?: readonly BlockSpec[]
  inline?: readonly InlineSpec[]
  marks?: readonly MarkSpec[]
}

/** All types that a conversion knows, and the elements that can be read as them. */
export interface BlockTable {
  blocks: ReadonlyMap<string, BlockSpec>
  inline: ReadonlyMap<string, InlineSpec>
  marks: ReadonlyMap<string, MarkSpec>
  /** The nesting order of the marks. */
  markOrder: ReadonlyMap<string, number>
  blocksByTag: ReadonlyMap<string, readonly BlockSpec[]>
  inlineByTag: ReadonlyMap<string, readonly InlineSpec[]>
  marksByTag: ReadonlyMap<string, readonly MarkSpec[]>
  /** Marks that a `style` attribute can express. */
  styledMarks: readonly MarkSpec[]
  fences: ReadonlyMap<string, BlockSpec>
}

/** Joins extensions into one table. Later types replace earlier ones, and read an HTML element first. */
export function createBlockTable (...parts: readonly BlockExtensions[]): BlockTable {
  const blocks = byType(parts.flatMap((part) => part.blocks ?? []))
  const inline = byType(parts.flatMap((part) => part.inline ?? []))
  const marks = byType(parts.flatMap((part) => part.marks ?? []))
  const fences = new Map<string, BlockSpec>()
  for (const spec of blocks.values()) if (spec.fromFence !== undefined) fences.set(spec.fromFence.language, spec)
  return {
    blocks,
    inline,
    marks,
    markOrder: new Map([...marks.keys()].map((name, index) => [name, index])),
    blocksByTag: byTag(blocks),
    inlineByTag: byTag(inline),
    marksByTag: byTag(marks),
    styledMarks: [...marks.values()].filter((spec) => spec.fromHtml?.style !== undefined),
    fences,
  }
}

/** The defaults of all props that have one. */
export function defaultProps (specs: Record<string, PropSpec>): Props {
  const props: Props = {}
  for (const name in specs) {
    const value = specs[name]?.default
    if (value !== undefined) props[name] = value
  }
  return props
}

/**
 * The defaults, replaced by known props with values of the right type; everything else is left out, as in BlockNote.
 */
export function readProps (specs: Record<string, PropSpec>, given: Readonly<Record<string, unknown>>): Props {
  const props: Props = {}
  for (const name in specs) {
    const spec = specs[name]
    if (spec === undefined) continue
    const value = Object.hasOwn(given, name) ? coerce(spec, given[name]) : undefined
    if (accepts(spec, value)) props[name] = value
    else if (spec.default !== undefined) props[name] = spec.default
  }
  return props
}

/** Counts the props that `readProps` leaves out: unknown ones, and those with a value that is not allowed. */
export function countUnread (
  specs: Record<string, PropSpec>,
  given: Readonly<Record<string, unknown>>,
  dropped: Dropped
): void {
  for (const name in given) {
    const value = given[name]
    if (value === undefined || value === null) continue
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
    if (spec === undefined || !accepts(spec, coerce(spec, value))) dropped.add('format', `prop ${name}`)
  }
}

/** Old documents and HTML hold numbers and booleans as strings. */
function coerce (spec: PropSpec, value: unknown): unknown {
  if (typeof value !== 'string') return value
  const type = spec.type ?? typeof spec.default
  if (type === 'number') return value.trim() === '' ? undefined : Number(value)
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : undefined
  return value
}

function accepts (spec: PropSpec, value: unknown): value is PropValue {
  if (value === undefined || value === null) return false
  const type = spec.type ?? typeof spec.default
  const found = typeof value
  if (found !== type) return false
  if (typeof value === 'number' && !Number.isFinite(value)) return false
  return spec.values === undefined || spec.values.some((allowed) => allowed === value)
}

const dataAttributes = new Map<string, string>()

/** `backgroundColor` → `data-background-color`. Kept for each prop: there are few, and every block needs them. */
export function dataAttribute (prop: string): string {
  const known = dataAttributes.get(prop)
  if (known !== undefined) return known
  const name = 'data-' + prop.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())
  dataAttributes.set(prop, name)
  return name
}

/** Whether a block's content is a list, as opposed to a table. */
export function isInlineList (content: unknown): content is Inline[] {
  return Array.isArray(content)
}

function byType<T extends { type: string }> (specs: readonly T[]): Map<string, T> {
  return new Map(specs.map((spec) => [spec.type, spec]))
}

function byTag<T extends BlockSpec | InlineSpec | MarkSpec> (specs: Map<string, T>): Map<string, T[]> {
  const tags = new Map<string, T[]>()
  for (const spec of [...specs.values()].reverse()) {
    for (const tag of spec.fromHtml?.tags ?? []) {
      const known = tags.get(tag)
      if (known === undefined) tags.set(tag, [spec])
      else known.push(spec)
    }
  }
  return tags
}
