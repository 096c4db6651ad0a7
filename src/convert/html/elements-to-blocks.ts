import { randomUUID } from 'node:crypto'
import { addressesOf, unreadAddresses } from './addresses.ts'
import { append } from '../append.ts'
import type { Block, Inline } from '../blocks/block.ts'
import { type BlockSpec, type BlockTable, defaultProps, type Found, type InlineSpec } from '../blocks/block-table.ts'
import { BlockSink, type SinkMode } from './block-sink.ts'
import { tidyColumns } from '../blocks/columns.ts'
import { isBlock, isHidden, type WhiteSpace } from './css.ts'
import type { Dropped } from '../dropped.ts'
import { childOf, type Element, element, find, findAll, type Node, textOf } from './element.ts'
import { levelOf, propsOf } from './element-props.ts'
import { findBlock, findInline } from './find-spec.ts'
import { lostElements, silentElements } from './html-elements.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxBlockDepth } from '../limits.ts'
import { linesOf } from './lines-of.ts'
import { listNumber } from '../blocks/list-number.ts'
import { isDisplay, mathText } from '../blocks/math-blocks.ts'
import { readTable } from './read-table.ts'
import { isSafeLink, isWebAddress } from './safe-url.ts'
import { contextWithin, type TextContext } from './text-context.ts'

/** Reads elements of HTML as blocks. */
export function elementsToBlocks (nodes: readonly Node[], table: BlockTable, dropped: Dropped): Block[] {
  return tidyColumns(new ElementReader(table, dropped).read(nodes, 'collapse'), table, dropped)
}

const mediaTags = ['img', 'video', 'audio', 'embed']
const linkTags = new Set(['a'])

/** Reads elements, all at once or batch by batch. */
export class ElementReader {
  readonly #table: BlockTable
  readonly #dropped: Dropped
  /** The checkboxes of list items, which are no elements of their own. */
  readonly #checks = new WeakSet<Element>()
  /** The numbers of items, to find out whether the next item continues the count. */
  readonly #numbers = new WeakMap<Block, number>()
  #root: BlockSink | undefined
  /** The last block of the previous batch. */
  #last: Block | undefined

  constructor (table: BlockTable, dropped: Dropped) {
    this.#table = table
    this.#dropped = dropped
  }

  /**
   * Reads the blocks of one batch. A numbered list continues from the previous batch.
   * @param whiteSpace how text is read unless an element's style says otherwise
   */
  read (nodes: readonly Node[], whiteSpace: WhiteSpace): Block[] {
    this.#root = new BlockSink(this.#table, 'blocks')
    const blocks = this.#blocks(nodes, { styles: {}, whiteSpace }, 0, this.#root)
    this.#last = blocks[blocks.length - 1] ?? this.#last
    return blocks
  }

  #blocks (
    nodes: readonly Node[],
    context: TextContext,
    depth: number,
    sink: BlockSink = new BlockSink(this.#table, 'blocks')
  ): Block[] {
    this.#walk(nodes, sink, context, depth)
    sink.endParagraph()
    return sink.blocks
  }

  #walk (nodes: readonly Node[], sink: BlockSink, context: TextContext, depth: number): void {
    if (depth > maxBlockDepth) throw new InvalidContent('Blocks are nested too deep')
    const { styles, link, whiteSpace } = context
    for (const node of nodes) {
      if (typeof node !== 'string') this.#element(node, sink, context, depth)
      else {
        if (link !== undefined && node.trim() !== '') link.shown = true
        sink.sourceText(node, styles, link?.href, whiteSpace)
      }
    }
  }

  #element (node: Element, sink: BlockSink, outer: TextContext, depth: number): void {
    const { tag } = node
    if (tag === 'br') return sink.breakLine()
    if (silentElements.has(tag) || isHidden(node)) return
    for (const name of unreadAddresses(node)) this.#dropped.add('format', `attribute ${name}`)
    if (lostElements.has(tag)) return this.#lost(node, sink)
    if (tag === 'source' || tag === 'track') return this.#dropped.add('format', `element ${tag}`)
    const context = contextWithin(node, outer, this.#table, this.#dropped)
    if (tag === 'ul' || tag === 'ol' || tag === 'menu' || tag === 'dir') return this.#list(node, sink, context, depth)
    if (tag === 'li') return this.#item(node, 'bulletListItem', sink, context, depth)
    if (tag === 'table') return this.#tableBlock(node, sink, context, depth)
    if (node.attributes['data-node-type'] === 'blockGroup') return this.#nest(node, sink, context, depth)
    const isContent = tag === 'p' && sink.takesParagraph && levelOf(node) <= depth && !onlyMedia(node)
    if (isContent) return this.#paragraph(node, sink, context, depth)
    const block = findBlock(node, this.#table)
    if (block !== undefined) return this.#block(node, block.spec, block.found, sink, context, depth)
    const inline = findInline(node, this.#table)
    if (inline !== undefined) return this.#inlineElement(node, inline.spec, inline.found, sink, context)
    this.#unknown(node, sink, context, depth)
    const { link } = context
    if (link !== undefined && link !== outer.link && !link.shown) this.#bareLink(node, link.href, sink)
  }

  /** An element that the table does not know is read for its text. */
  #unknown (node: Element, sink: BlockSink, context: TextContext, depth: number): void {
    const ownLine = isBlock(node) || (node.tag === 'math' && isDisplay(node))
    if (ownLine) sink.endParagraph()
    if (node.tag === 'math') this.#math(node, sink, context, depth)
    else this.#walk(node.children, sink, context, depth)
    if (ownLine) sink.endParagraph()
  }

  /** MathML for which the table has no type. */
  #math (math: Element, sink: BlockSink, context: TextContext, depth: number): void {
    this.#dropped.add('format', 'element math')
    this.#walk([mathText(math)], sink, { ...context, whiteSpace: 'preserve' }, depth)
  }

  /** A plain paragraph whose text belongs to the content around it. */
  #paragraph (node: Element, sink: BlockSink, context: TextContext, depth: number): void {
    sink.startParagraph()
    this.#walk(node.children, sink, context, depth)
    sink.endParagraph()
  }

  /** An element that no block can show. Its address becomes a link. */
  #lost (node: Element, sink: BlockSink): void {
    const { src, data, href, alt, title, type } = node.attributes
    if (node.tag === 'input' && (type === 'hidden' || this.#checks.has(node))) return
    this.#dropped.add('content', `element ${node.tag}`)
    const address = src ?? data ?? href ?? ''
    if (isWebAddress(address)) this.#linkLine(address, alt || title || address, sink)
  }

  /** A link without text. Around an image it follows the image. */
  #bareLink (node: Element, href: string, sink: BlockSink): void {
    if (mediaTags.some((tag) => find(node, tag) !== undefined)) this.#linkLine(href, href, sink)
    else this.#dropped.add('format', 'link without text')
  }

  #linkLine (href: string, text: string, sink: BlockSink): void {
    const props = defaultProps(this.#table.blocks.get('paragraph')?.props ?? {})
    const content: Inline[] = [{ type: 'link', href, content: [{ type: 'text', text, styles: {} }] }]
    sink.media({ id: randomUUID(), type: 'paragraph', props, content, children: [] })
  }

  #inlineElement (node: Element, spec: InlineSpec, found: Found, sink: BlockSink, context: TextContext): void {
    const props = propsOf(spec.props, node, found.props)
    if (spec.content === 'none') return sink.element({ type: spec.type, props })
    const text = textOf(found.content ?? node)
    if (spec.content === 'plain') {
      // A link holds only text, and its address matters more than the look of the formula.
      if (context.link !== undefined) return this.#walk([`$${text}$`], sink, context, 0)
      for (const name in context.styles) this.#dropped.add('format', `mark ${name}`)
      return sink.element({ type: spec.type, props, content: text })
    }
    sink.element({ type: spec.type, props, content: text === '' ? [] : [{ type: 'text', text, styles: {} }] })
  }

  #block (node: Element, spec: BlockSpec, found: Found, sink: BlockSink, context: TextContext, depth: number): void {
    const props = propsOf(spec.props, node, found.props)
    const inside = Math.max(depth, levelOf(node)) + 1
    if (spec.container === true) {
      const children = this.#blocks(node.children, context, inside)
      return this.#place({ id: randomUUID(), type: spec.type, props, children }, node, sink, depth)
    }
    if (spec.content === 'none') return this.#emptyBlock(node, spec, found, sink, depth)
    const source = found.content ?? node
    if (spec.code === true) {
      const text = codeText(source)
      const content: Block['content'] = text === '' ? [] : [{ type: 'text', text, styles: {} }]
      this.#place({ id: randomUUID(), type: spec.type, props, content, children: [] }, node, sink, depth)
      addressesOf(node).forEach(() => this.#dropped.add('content', 'address in code'))
      return
    }
    const holdsBlocks = spec.type === 'quote' || node.tag === 'details'
    const inner = this.#collect(source.children, 'text', context, holdsBlocks ? inside : depth)
    const children = holdsBlocks ? inner.blocks : []
    const block: Block = { id: randomUUID(), type: spec.type, props, content: inner.content, children }
    // A toggle hides everything but its summary.
    if (node.tag === 'details') append(block.children, this.#blocks(besideSummary(node), context, inside))
    const empty = node.tag === 'p' && inner.content.length === 0 && inner.blocks.length > 0
    if (!empty) this.#place(block, node, sink, depth)
    if (!holdsBlocks) for (const following of inner.blocks) sink.block(following)
  }

  /**
   * A block without text, such as an image. Links within its element follow it; other addresses, and words that are not
   * in its props, are counted.
   */
  #emptyBlock (node: Element, spec: BlockSpec, found: Found, sink: BlockSink, depth: number): void {
    const props = propsOf(spec.props, node, found.props)
    const block: Block = { id: randomUUID(), type: spec.type, props, children: [] }
    if (levelOf(node) > depth || isBlock(node)) this.#place(block, node, sink, depth)
    else sink.media(block)
    const said = new Set<unknown>(Object.values(props))
    for (const { attributes: { href } } of node.tag === 'figure' ? findAll(node, linkTags) : []) {
      if (href === undefined || href === '' || said.has(href) || !isSafeLink(href)) continue
      said.add(href)
      this.#linkLine(href, href, sink)
    }
    for (const address of addressesOf(node)) if (!said.has(address)) this.#dropped.add('format', `address in ${spec.type}`)
    const words = new Set([...said].join(' ').split(/\s+/))
    if (linesOf(node).split(/\s+/).every((word) => word === '' || words.has(word))) return
    // The content of a video or audio element is for browsers that cannot play it.
    if (node.tag === 'video' || node.tag === 'audio') this.#dropped.add('format', `fallback of ${node.tag}`)
    else this.#dropped.add('content', `content of ${spec.type}`)
  }

  #collect (
    nodes: readonly Node[],
    mode: SinkMode,
    context: TextContext,
    depth: number
  ): { content: Inline[], blocks: Block[] } {
    const sink = new BlockSink(this.#table, mode)
    this.#walk(nodes, sink, context, depth)
    return { content: sink.content(), blocks: sink.blocks }
  }

  #list (list: Element, sink: BlockSink, context: TextContext, depth: number): void {
    sink.endParagraph()
    const start = Number.parseInt(list.attributes['start'] ?? '1', 10)
    let number = start >= 0 ? start : 1
    let first = true
    for (const child of list.children) {
      if (typeof child !== 'string' && child.tag === 'li' && !isHidden(child)) {
        const within = contextWithin(child, context, this.#table, this.#dropped)
        if (list.tag === 'ol') this.#item(child, 'numberedListItem', sink, within, depth, number++)
        else this.#item(child, 'bulletListItem', sink, within, depth)
        first = false
      } else if (typeof child !== 'string' && (child.tag === 'ul' || child.tag === 'ol') && !first) {
        // A list directly within a list, as old editors write it, belongs to the item before it.
        append(sink.blocks[sink.blocks.length - 1]?.children ?? [], this.#blocks([child], context, depth + 1))
      } else this.#walk([child], sink, context, depth)
    }
    sink.endParagraph()
  }

  #item (item: Element, type: string, sink: BlockSink, context: TextContext, depth: number, number?: number): void {
    const check = checkboxOf(item)
    if (check !== undefined) this.#checks.add(check)
    const details = check === undefined ? leadingDetails(item) : undefined
    const toggle = details && findBlock(details, this.#table)
    const isToggle = toggle?.spec.type === 'toggleListItem'
    const name = check !== undefined ? 'checkListItem' : isToggle ? 'toggleListItem' : type
    const spec = this.#table.blocks.get(name)
    if (spec === undefined) return
    const props = propsOf(spec.props, item, check === undefined ? {} : { checked: 'checked' in check.attributes })
    const inside = Math.max(depth, levelOf(item)) + 1
    if (details === undefined || !isToggle) {
      const { content, blocks } = this.#collect(item.children, 'item', context, inside)
      return this.#place({ id: randomUUID(), type: name, props, content, children: blocks }, item, sink, depth, number)
    }
    const { content, blocks } = this.#collect((toggle.found.content ?? details).children, 'text', context, inside)
    const hidden = [...besideSummary(details), ...item.children.filter((child) => child !== details)]
    const children = [...blocks, ...this.#blocks(hidden, context, inside)]
    this.#place({ id: randomUUID(), type: name, props, content, children }, item, sink, depth)
  }

  #tableBlock (node: Element, sink: BlockSink, context: TextContext, depth: number): void {
    const spec = this.#table.blocks.get('table')
    const within = (outer: TextContext, element: Element) => contextWithin(element, outer, this.#table, this.#dropped)
    const { content, captions, after } = readTable(node, (cell, around) => {
      return this.#collect(cell.children, 'text', [...around, cell].reduce(within, context), depth)
    }, this.#dropped)
    sink.endParagraph()
    for (const caption of captions) this.#walk([caption], sink, context, depth)
    if (content !== undefined && spec !== undefined) {
      const props = propsOf(spec.props, node, {})
      this.#place({ id: randomUUID(), type: 'table', props, content, children: [] }, node, sink, depth)
    }
    for (const block of after) sink.block(block)
  }

  /** BlockNote's own HTML wraps children in a group beside their block. */
  #nest (node: Element, sink: BlockSink, context: TextContext, depth: number): void {
    sink.endParagraph()
    const parent = sink.blocks[sink.blocks.length - 1]
    if (parent === undefined) return this.#walk(node.children, sink, context, depth)
    append(parent.children, this.#blocks(node.children, context, depth + 1))
  }

  /** Adds a block, below the last blocks if its `data-nesting-level` is deeper than the elements around it. */
  #place (block: Block, node: Element, sink: BlockSink, depth: number, number?: number): void {
    let parent: Block | undefined
    sink.endParagraph()
    for (let level = levelOf(node); level > depth; level--) {
      const siblings: Block[] = parent?.children ?? sink.blocks
      const last: Block | undefined = siblings[siblings.length - 1]
      if (last === undefined) break
      parent = last
    }
    const isNumbered = block.type === 'numberedListItem' && number !== undefined
    if (isNumbered) this.#count(block, parent?.children ?? sink.blocks, number)
    if (parent === undefined) sink.block(block)
    else parent.children.push(block)
  }

  /** Gives an item a `start` if its number is not one more than that of the block before it. */
  #count (block: Block, siblings: readonly Block[], number: number): void {
    const last = siblings[siblings.length - 1] ?? (siblings === this.#root?.blocks ? this.#last : undefined)
    const before = last && this.#numbers.get(last)
    if (block.props['start'] === undefined && number !== (before ?? 0) + 1) block.props['start'] = number
    this.#numbers.set(block, listNumber(block, before))
  }
}

/** The exact text of a program. Pages add a line feed at its end; BlockNote, recognised by its attribute, does not. */
function codeText (code: Element): string {
  const text = linesOf(code)
  const isExact = code.tag === 'annotation' || 'data-language' in code.attributes
  return text.endsWith('\n') && !isExact ? text.slice(0, -1) : text
}

/** The children of a `details` without its summary, which separates the text around it. */
function besideSummary (details: Element): Node[] {
  const summary = childOf(details, 'summary')
  return details.children.map((child) => child === summary ? element('div') : child)
}

/** The `details` at the start of an item. */
function leadingDetails (item: Element): Element | undefined {
  const first = item.children.find((child) => typeof child !== 'string' || child.trim() !== '')
  return typeof first === 'object' && first.tag === 'details' ? first : undefined
}

/** An item's own checkbox: its first element, or the first in its first paragraph or label. */
function checkboxOf (item: Element): Element | undefined {
  const first = item.children.find((child): child is Element => typeof child !== 'string')
  if (first === undefined) return undefined
  if (first.tag === 'p' || first.tag === 'label' || first.tag === 'div') {
    return checkboxOf({ ...first, children: first.children.slice(0, 2) })
  }
  return first.tag === 'input' && first.attributes['type'] === 'checkbox' ? first : undefined
}

/** Whether a paragraph holds images and the like but no text; it is read as those. */
function onlyMedia (paragraph: Element): boolean {
  if (paragraph.children.length === 0 || textOf(paragraph).trim() !== '') return false
  return mediaTags.some((tag) => find(paragraph, tag) !== undefined)
}
