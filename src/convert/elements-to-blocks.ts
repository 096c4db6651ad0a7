import { randomUUID } from 'node:crypto'
import { append } from './append.ts'
import type { Block, Inline, Styles } from './block.ts'
import type { BlockSpec, BlockTable, Found, InlineSpec } from './block-table.ts'
import { BlockSink, type SinkMode } from './block-sink.ts'
import { tidyColumns } from './columns.ts'
import type { Dropped } from './dropped.ts'
import { type Element, find, type Node, textOf } from './element.ts'
import { levelOf, propsOf } from './element-props.ts'
import { InvalidContent } from './invalid-content.ts'
import { maxBlockDepth } from './limits.ts'
import { listNumber } from './list-number.ts'
import { readTable } from './read-table.ts'
import { isSafeLink } from './safe-url.ts'

/** Reads the blocks that elements, from HTML or from markdown, amount to. */
export function elementsToBlocks (nodes: readonly Node[], table: BlockTable, dropped: Dropped): Block[] {
  return tidyColumns(new ElementReader(table, dropped).read(nodes), table, dropped)
}

/** Nothing in them is meant to be read. */
const silent = new Set(['script', 'style', 'head', 'title', 'meta', 'link', 'base', 'template', 'noscript', 'col', 'colgroup', 'source', 'track', 'input', 'caption-side', 'wbr'])

/** They show something that no block holds. */
const lost = new Set(['iframe', 'object', 'svg', 'canvas', 'select', 'textarea', 'applet', 'map'])

/** They stand in a line of text; an element that is neither here nor in the table starts a paragraph of its own. */
const inlineTags = new Set(['a', 'abbr', 'acronym', 'bdi', 'bdo', 'big', 'button', 'cite', 'data', 'dfn', 'font', 'label', 'mark', 'nobr', 'output', 'q', 'ruby', 'rb', 'rt', 'rp', 'small', 'span', 'sub', 'sup', 'time', 'var', 'x'])

/** Ways to look that no mark keeps; their text stays. */
const looks = new Set(['sub', 'sup', 'small', 'big', 'ruby'])

/** What holds for the text within an element: its marks and its link. */
interface Context { styles: Styles, href?: string }

const plain: Context = { styles: {} }

/** Reads elements, all at once or batch by batch. */
export class ElementReader {
  readonly #table: BlockTable
  readonly #dropped: Dropped
  /** What numbered items show, so that the next one is known to go on or to begin anew. */
  readonly #numbers = new WeakMap<Block, number>()
  #root: BlockSink | undefined
  /** The last block of the batch before. */
  #last: Block | undefined

  constructor (table: BlockTable, dropped: Dropped) {
    this.#table = table
    this.#dropped = dropped
  }

  /** The blocks of one batch; a numbered list goes on where the batch before left it. */
  read (nodes: readonly Node[]): Block[] {
    this.#root = new BlockSink(this.#table, 'blocks')
    const blocks = this.#blocks(nodes, 0, this.#root)
    this.#last = blocks[blocks.length - 1] ?? this.#last
    return blocks
  }

  #blocks (nodes: readonly Node[], depth: number, sink: BlockSink = new BlockSink(this.#table, 'blocks')): Block[] {
    this.#walk(nodes, sink, plain, depth)
    sink.endParagraph()
    return sink.blocks
  }

  #walk (nodes: readonly Node[], sink: BlockSink, context: Context, depth: number): void {
    if (depth > maxBlockDepth) throw new InvalidContent('Blocks are nested too deep')
    for (const node of nodes) {
      if (typeof node === 'string') sink.sourceText(node, context.styles, context.href)
      else this.#element(node, sink, context, depth)
    }
  }

  #element (node: Element, sink: BlockSink, context: Context, depth: number): void {
    const { tag } = node
    if (tag === 'br') return sink.breakLine()
    if (silent.has(tag)) return
    if (lost.has(tag)) return this.#dropped.add('content', `element ${tag}`)
    if (tag === 'ul' || tag === 'ol') return this.#list(node, sink, depth)
    if (tag === 'li') return this.#item(node, 'bulletListItem', sink, depth)
    if (tag === 'table') return this.#tableBlock(node, sink, depth)
    if (node.attributes['data-node-type'] === 'blockGroup') return this.#nest(node, sink, depth)
    const block = this.#findBlock(node)
    if (block !== undefined) return this.#block(node, block.spec, block.found, sink, context, depth)
    const inline = this.#findInline(node)
    if (inline !== undefined) return this.#inlineElement(node, inline.spec, inline.found, sink, context)
    if (tag === 'math') {
      // MathML without its LaTeX source: only the letters of the formula can be kept.
      this.#dropped.add('format', 'element math')
      return sink.text(textOf(node).replace(/\s+/g, ' ').trim(), context.styles, context.href)
    }
    if (inlineTags.has(tag) || this.#table.marksByTag.has(tag)) {
      if (looks.has(tag)) this.#dropped.add('format', `element ${tag}`)
      return this.#walk(node.children, sink, this.#within(node, context), depth)
    }
    sink.endParagraph()
    this.#walk(node.children, sink, context, depth)
    sink.endParagraph()
  }

  #within (node: Element, context: Context): Context {
    if (node.tag === 'a') {
      const href = node.attributes['href']
      if (href === undefined) return context
      if (isSafeLink(href)) return { styles: context.styles, href }
      this.#dropped.add('format', 'unsafe link')
      return context
    }
    let styles: Styles | undefined
    for (const spec of this.#table.marksByTag.get(node.tag) ?? []) {
      const value = spec.fromHtml?.read(node)
      if (value !== undefined) styles = { ...styles ?? context.styles, [spec.type]: spec.value === 'boolean' ? true : value }
    }
    return styles === undefined ? context : { ...context, styles }
  }

  #findBlock (node: Element): { spec: BlockSpec, found: Found } | undefined {
    const named = this.#table.blocks.get(node.attributes['data-content-type'] ?? '')
    if (named !== undefined && named.content !== 'table') {
      const known = named.fromHtml?.tags.includes(node.tag) === true ? named.fromHtml.read(node) : undefined
      return { spec: named, found: known ?? { props: {}, content: contentElement(node) } }
    }
    for (const spec of this.#table.blocksByTag.get(node.tag) ?? []) {
      const found = spec.fromHtml?.read(node)
      if (found !== undefined) return { spec, found }
    }
    return undefined
  }

  #findInline (node: Element): { spec: InlineSpec, found: Found } | undefined {
    for (const spec of this.#table.inlineByTag.get(node.tag) ?? []) {
      const found = spec.fromHtml?.read(node)
      if (found !== undefined) return { spec, found }
    }
    return undefined
  }

  #inlineElement (node: Element, spec: InlineSpec, found: Found, sink: BlockSink, context: Context): void {
    const props = propsOf(spec.props, node, found.props)
    if (spec.content === 'none') return sink.element({ type: spec.type, props })
    const text = textOf(found.content ?? node)
    if (spec.content === 'plain') {
      // A link holds text alone, and its address is worth more than the formula's look.
      if (context.href !== undefined) return sink.text(`$${text}$`, context.styles, context.href)
      for (const name in context.styles) this.#dropped.add('format', `mark ${name}`)
      return sink.element({ type: spec.type, props, content: text })
    }
    sink.element({ type: spec.type, props, content: text === '' ? [] : [{ type: 'text', text, styles: {} }] })
  }

  #block (node: Element, spec: BlockSpec, found: Found, sink: BlockSink, context: Context, depth: number): void {
    const props = propsOf(spec.props, node, found.props)
    const inside = Math.max(depth, levelOf(node)) + 1
    if (spec.container === true) {
      const children = this.#blocks(node.children, inside)
      return this.#place({ id: randomUUID(), type: spec.type, props, children }, node, sink, depth)
    }
    if (spec.content === 'none') {
      const block: Block = { id: randomUUID(), type: spec.type, props, children: [] }
      return levelOf(node) > depth ? this.#place(block, node, sink, depth) : sink.media(block)
    }
    const source = found.content ?? node
    if (spec.code === true) {
      const text = codeText(source)
      const content: Block['content'] = text === '' ? [] : [{ type: 'text', text, styles: {} }]
      return this.#place({ id: randomUUID(), type: spec.type, props, content, children: [] }, node, sink, depth)
    }
    const mode: SinkMode = spec.type === 'quote' ? 'quote' : 'text'
    const inner = this.#collect(source.children, mode, context, mode === 'quote' ? depth + 1 : depth)
    const block: Block = { id: randomUUID(), type: spec.type, props, content: inner.content, children: [] }
    if (mode === 'quote') block.children = inner.blocks
    // What stands beside the summary is what a toggle hides.
    if (node.tag === 'details') block.children = this.#blocks(node.children.filter((child) => typeof child === 'string' || child.tag !== 'summary'), inside)
    const empty = inner.content.length === 0 && inner.blocks.length > 0 && mode === 'text' && node.tag === 'p'
    if (!empty) this.#place(block, node, sink, depth)
    if (mode === 'text') for (const following of inner.blocks) sink.block(following)
  }

  #collect (nodes: readonly Node[], mode: SinkMode, context: Context, depth: number): { content: Inline[], blocks: Block[] } {
    const sink = new BlockSink(this.#table, mode)
    // Within content a paragraph is a line; within a list it may be the item's text.
    this.#walkContent(nodes, sink, context, depth)
    return { content: sink.content(), blocks: sink.blocks }
  }

  /** Like `#walk`, but a plain paragraph's text goes to the content. */
  #walkContent (nodes: readonly Node[], sink: BlockSink, context: Context, depth: number): void {
    if (depth > maxBlockDepth) throw new InvalidContent('Blocks are nested too deep')
    // Blanks between paragraphs part them in the source; in a lone line of text they are text.
    const parted = nodes.some((node) => typeof node !== 'string' && (node.tag === 'p' || node.tag === 'input'))
    for (const node of nodes) {
      if (parted && typeof node === 'string' && node.trim() === '') continue
      if (typeof node === 'string' || node.tag !== 'p' || levelOf(node) > depth || onlyMedia(node)) {
        this.#walk([node], sink, context, depth)
        continue
      }
      sink.endParagraph()
      if (!sink.takesParagraph) this.#walk([node], sink, context, depth)
      else {
        sink.startParagraph()
        this.#walk(node.children, sink, context, depth)
        sink.endParagraph()
      }
    }
  }

  #list (list: Element, sink: BlockSink, depth: number): void {
    sink.endParagraph()
    const start = Number.parseInt(list.attributes['start'] ?? '1', 10)
    let number = start >= 0 ? start : 1
    let first = true
    for (const child of list.children) {
      if (typeof child !== 'string' && child.tag === 'li') {
        if (list.tag === 'ol') this.#item(child, 'numberedListItem', sink, depth, number++)
        else this.#item(child, 'bulletListItem', sink, depth)
        first = false
      } else if (typeof child !== 'string' && (child.tag === 'ul' || child.tag === 'ol') && !first) {
        // A list straight within a list, as old editors write it, belongs to the item before it.
        append(sink.blocks[sink.blocks.length - 1]?.children ?? [], this.#blocks([child], depth + 1))
      } else this.#walk([child], sink, plain, depth)
    }
    sink.endParagraph()
  }

  #item (item: Element, type: string, sink: BlockSink, depth: number, number?: number): void {
    const check = checkboxOf(item)
    const details = item.children.find((child): child is Element => typeof child !== 'string' && child.tag === 'details')
    const toggle = check === undefined && details !== undefined ? this.#findBlock(details) : undefined
    const name = check !== undefined ? 'checkListItem' : toggle?.spec.type === 'toggleListItem' ? 'toggleListItem' : type
    const spec = this.#table.blocks.get(name)
    if (spec === undefined) return
    const props = propsOf(spec.props, item, check === undefined ? {} : { checked: 'checked' in check.attributes })
    if (name !== 'toggleListItem' || details === undefined) {
      const { content, blocks } = this.#collect(item.children, 'item', plain, depth + 1)
      return this.#place({ id: randomUUID(), type: name, props, content, children: blocks }, item, sink, depth, number)
    }
    const { content } = this.#collect((toggle?.found.content ?? details).children, 'text', plain, depth + 1)
    const hidden = details.children.filter((child) => typeof child === 'string' || child.tag !== 'summary')
    const children = this.#blocks([...hidden, ...item.children.filter((child) => child !== details)], depth + 1)
    this.#place({ id: randomUUID(), type: name, props, content, children }, item, sink, depth)
  }

  #tableBlock (node: Element, sink: BlockSink, depth: number): void {
    const spec = this.#table.blocks.get('table')
    const { content, captions, after } = readTable(node, (nodes) => this.#collect(nodes, 'text', plain, depth), this.#dropped)
    for (const caption of captions) this.#walk(caption.children, sink, plain, depth)
    if (content !== undefined && spec !== undefined) {
      this.#place({ id: randomUUID(), type: 'table', props: propsOf(spec.props, node, {}), content, children: [] }, node, sink, depth)
    }
    for (const block of after) sink.block(block)
  }

  /** BlockNote's own HTML wraps children in a group beside their block. */
  #nest (node: Element, sink: BlockSink, depth: number): void {
    sink.endParagraph()
    const parent = sink.blocks[sink.blocks.length - 1]
    if (parent === undefined) return this.#walk(node.children, sink, plain, depth)
    append(parent.children, this.#blocks(node.children, depth + 1))
  }

  /** Puts a block where `data-nesting-level` says, when it is deeper than the elements around it. */
  #place (block: Block, node: Element, sink: BlockSink, depth: number, number?: number): void {
    let parent: Block | undefined
    sink.endParagraph()
    for (let level = levelOf(node); level > depth; level--) {
      const siblings: Block[] = parent?.children ?? sink.blocks
      const last: Block | undefined = siblings[siblings.length - 1]
      if (last === undefined) break
      parent = last
    }
    if (block.type === 'numberedListItem' && number !== undefined) this.#count(block, parent?.children ?? sink.blocks, number)
    if (parent === undefined) sink.block(block)
    else parent.children.push(block)
  }

  /** Gives an item its `start` where its list shows another number than one more than the block before it. */
  #count (block: Block, siblings: readonly Block[], number: number): void {
    const last = siblings[siblings.length - 1] ?? (siblings === this.#root?.blocks ? this.#last : undefined)
    const before = last && this.#numbers.get(last)
    if (block.props['start'] === undefined && number !== (before ?? 0) + 1) block.props['start'] = number
    this.#numbers.set(block, listNumber(block, before))
  }
}

/** A program as it stands. Pages end it with a line feed, which is not one of its lines; BlockNote, known by its attribute, does not. */
function codeText (code: Element): string {
  const text = textOf(code)
  const isExact = code.tag === 'annotation' || 'data-language' in code.attributes
  return text.endsWith('\n') && !isExact ? text.slice(0, -1) : text
}

function contentElement (node: Element): Element {
  return findClass(node, 'bn-inline-content') ?? node
}

function findClass (node: Node, name: string): Element | undefined {
  if (typeof node === 'string') return undefined
  if (node.attributes['class']?.split(' ').includes(name) === true) return node
  for (const child of node.children) {
    const found = findClass(child, name)
    if (found !== undefined) return found
  }
  return undefined
}

/** An item's own checkbox: its first element, or the first in its first paragraph or label. */
function checkboxOf (item: Element): Element | undefined {
  const first = item.children.find((child): child is Element => typeof child !== 'string')
  if (first === undefined) return undefined
  if (first.tag === 'p' || first.tag === 'label' || first.tag === 'div') return checkboxOf({ ...first, children: first.children.slice(0, 2) })
  return first.tag === 'input' && first.attributes['type'] === 'checkbox' ? first : undefined
}

/** A paragraph around a picture is the picture. */
function onlyMedia (paragraph: Element): boolean {
  return paragraph.children.length > 0 && textOf(paragraph).trim() === '' && ['img', 'video', 'audio', 'embed'].some((tag) => find(paragraph, tag) !== undefined)
}
