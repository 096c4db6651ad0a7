import type { Inline, Props, PropValue } from './block.ts'
import type { Dropped } from '../dropped.ts'
import type { Element } from '../html/element.ts'

/** One prop of a block or inline element. Without a default the prop is optional and its type must be named. */
export interface PropSpec {
  default?: PropValue
  type?: 'string' | 'number' | 'boolean'
  /** When given, any other value is read as the default. */
  values?: readonly PropValue[]
}

/** What a spec's HTML writer gets: the parts, already escaped and ready to be put between tags. */
export interface HtmlParts {
  props: Props
  /** ` data-…="…" style="…"` for every prop that is not its default; starts with a blank unless empty. */
  attributes: string
  /** The inline content as HTML. */
  inline: string
  /** The children that stand inside this element, see `BlockSpec.childrenInside`. */
  children: string
  /** Escapes a prop for use in an attribute or as text. */
  escape: (text: string) => string
  /** Notes what this block cannot say in HTML, such as an address that could run code. */
  drop: (what: string, kind?: 'content' | 'format') => void
  /** The origin of the web application, without a trailing slash; empty when none is configured. */
  origin: string
}

/** What a spec's markdown writer gets. Its answer is a list of lines' worth of markdown without indentation. */
export interface MarkdownParts {
  props: Props
  /** The inline content as markdown, escaped to stand at the start of a line. */
  inline: string
  /** The inline content as HTML on one line, for blocks that markdown has no notation for. */
  html: string
  /** The inline content without any mark. */
  text: string
  /** Escapes text so that markdown reads it back as it is. */
  escape: (text: string) => string
  /** Escapes text for an HTML attribute or element. */
  escapeHtml: (text: string) => string
  /** Notes what this block cannot say in markdown. */
  drop: (what: string, kind?: 'content' | 'format') => void
  origin: string
}

/** What a reader found: props that differ from the defaults, and the element whose children are the content when it is not the one asked about. */
export interface Found {
  props: Record<string, PropValue | undefined>
  content?: Element
}

/** How one type of block is stored, read and written. */
export interface BlockSpec {
  type: string
  /** `inline`: text; `none`: props only; `table` is for BlockNote's table alone. */
  content: 'inline' | 'none' | 'table'
  props: Record<string, PropSpec>
  /** Text without marks whose line breaks are characters, as in a program. */
  code?: boolean
  /** Consecutive blocks of the same list share one element. */
  list?: 'ul' | 'ol'
  /** `all`: children are written inside this block's element; `lists`: only leading lists are; absent: they follow it with `data-nesting-level`. */
  childrenInside?: 'all' | 'lists'
  /** Holds blocks and nothing else: its element stands in the group itself, without a container, and the blocks straight in it. */
  container?: boolean
  /** Shows the state of somebody's editor and no content: left out of HTML, markdown and text, and counted. */
  transient?: boolean
  toHtml: (parts: HtmlParts) => string
  /** Which elements may be this block, and what they say. The generic `data-*` props are read already. */
  fromHtml?: { tags: readonly string[], read: (element: Element) => Found | undefined }
  /** Absent: the inline content as a paragraph. */
  toMarkdown?: (parts: MarkdownParts) => string
  /** A fenced code block with this language is this block, its text the content or the named prop. */
  fromFence?: { language: string, prop?: string }
  /** Absent: the inline content. */
  toText?: (props: Props, text: string) => string
}

/** An element that stands inside text. */
export interface InlineSpec {
  type: string
  /** `styled`: text with marks; `plain`: a source, such as LaTeX; `none`: props only. */
  content: 'none' | 'styled' | 'plain'
  props: Record<string, PropSpec>
  toHtml: (parts: HtmlParts) => string
  fromHtml?: BlockSpec['fromHtml']
  toMarkdown?: (parts: MarkdownParts) => string
  toText?: (props: Props, text: string) => string
}

/** A mark on text. The order of the table is the order of nesting, outermost first. */
export interface MarkSpec {
  type: string
  /** `string`: the mark carries a value, stored as `{ stringValue }`. */
  value: 'boolean' | 'string'
  toHtml: (value: string, inner: string, escape: (text: string) => string) => string
  /**
   * Which elements carry this mark; `true` for a mark without value, undefined for "not this one". `style` is asked about every
   * element that has a `style` attribute: `false` ends a mark that an outer element began.
   */
  fromHtml?: {
    tags: readonly string[]
    read: (element: Element) => string | true | undefined
    style?: (element: Element) => string | boolean | undefined
  }
  /** A delimiter that opens and closes it in markdown, such as `**`. Absent: markdown cannot say it. */
  delimiter?: '**' | '*' | '~~'
  /** A mark that no reader sees, such as a comment's anchor: its text stays, nothing is counted. */
  hidden?: boolean
}

/** What a blocks module may add. A type that exists already is replaced. */
export interface BlockExtensions {
  blocks?: readonly BlockSpec[]
  inline?: readonly InlineSpec[]
  marks?: readonly MarkSpec[]
}

/** The table that every conversion works from: each type once, and which elements may be what. */
export interface BlockTable {
  blocks: ReadonlyMap<string, BlockSpec>
  inline: ReadonlyMap<string, InlineSpec>
  marks: ReadonlyMap<string, MarkSpec>
  /** Mark names in nesting order. */
  markOrder: ReadonlyMap<string, number>
  blocksByTag: ReadonlyMap<string, readonly BlockSpec[]>
  inlineByTag: ReadonlyMap<string, readonly InlineSpec[]>
  marksByTag: ReadonlyMap<string, readonly MarkSpec[]>
  /** Marks that a `style` attribute may carry. */
  styledMarks: readonly MarkSpec[]
  fences: ReadonlyMap<string, BlockSpec>
}

/** Joins extensions into one table; later ones win and are asked first when HTML is read. */
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

/** The props of a spec with their defaults, where there is one. */
export function defaultProps (specs: Record<string, PropSpec>): Props {
  const props: Props = {}
  for (const name in specs) {
    const value = specs[name]?.default
    if (value !== undefined) props[name] = value
  }
  return props
}

/** Known props with values of the right type over the defaults; everything else is left out, as BlockNote does when it reads. */
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

/** Counts the props that `readProps` leaves out: those the table does not know, and values that they may not have. */
export function countUnread (specs: Record<string, PropSpec>, given: Readonly<Record<string, unknown>>, dropped: Dropped): void {
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

/** `backgroundColor` → `data-background-color`. Props are few and asked for with every block, so each is worked out once. */
export function dataAttribute (prop: string): string {
  const known = dataAttributes.get(prop)
  if (known !== undefined) return known
  const name = 'data-' + prop.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())
  dataAttributes.set(prop, name)
  return name
}

/** True for a plain list of blocks, as opposed to a table's content. */
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
