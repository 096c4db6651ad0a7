import { defaultTreeAdapter, type DefaultTreeAdapterTypes, html as html5, parse, parseFragment } from 'parse5'
import type { Dropped } from '../dropped.ts'
import { attributes, type Element, type Node } from './element.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxElementDepth } from '../limits.ts'

type TreeNode = DefaultTreeAdapterTypes.ChildNode

/** A tag may have this many attributes; a parser compares each with all before it. */
const maxAttributes = 500

/** Stands behind the input and shows nothing: a parser that makes no element of it is still within a tag, a comment or the like. */
const endMark = '<wbr>'

/**
 * Parses HTML as a browser would, in time that grows with its length alone.
 * @param dropped where to count a tag, a comment or the like that never ends: what follows it is lost, in browsers too
 * @throws InvalidContent when elements nest beyond what a browser keeps, or repeat beyond reason
 */
export function readHtml (html: string, dropped?: Dropped): Node[] {
  checkAttributes(html)
  const bounded = boundedAdapter(html.length)
  const tree = parse(dropped === undefined ? html : html + endMark, { treeAdapter: bounded.adapter })
  if (dropped !== undefined && bounded.lastTag() !== 'wbr') dropped.add('content', 'unfinished HTML')
  return nodes(tree.childNodes)
}

/** The same for a piece of HTML that stands in a line of text. */
export function readHtmlFragment (html: string): Node[] {
  checkAttributes(html)
  // Without an element around it a piece may be read as part of a table, where text is no content.
  const line = defaultTreeAdapter.createElement('div', html5.NS.HTML, [])
  return nodes(parseFragment(line, html, { treeAdapter: boundedAdapter(html.length).adapter }).childNodes)
}

/** Unclosed formatting is opened again in every paragraph, so a short page can ask for a million elements: no more are made than its length has room for. */
function boundedAdapter (length: number): { adapter: typeof defaultTreeAdapter, lastTag: () => string } {
  let depth = 0
  let made = 0
  let lastTag = ''
  const adapter: typeof defaultTreeAdapter = {
    ...defaultTreeAdapter,
    createElement (tag, namespace, attrs) {
      if (++made > length / 2 + 100) throw new InvalidContent('The HTML repeats unclosed elements too often')
      lastTag = tag
      return defaultTreeAdapter.createElement(tag, namespace, attrs)
    },
    onItemPush () {
      if (++depth > maxElementDepth) throw new InvalidContent('The HTML is nested too deep')
    },
    onItemPop () {
      depth--
    },
  }
  return { adapter, lastTag: () => lastTag }
}

/** Follows the quotes of tags only as far as is needed to count attributes, which never gives fewer than the parser finds. */
function checkAttributes (html: string): void {
  for (let start = html.indexOf('<'); start !== -1; start = html.indexOf('<', start + 1)) {
    const next = html.charCodeAt(start + 1) | 32
    if (next < 97 || next > 122) continue
    let names = 0
    let quote = 0
    let between = false
    let before = 0
    let at = start + 1
    for (; at < html.length; at++) {
      const code = html.charCodeAt(at)
      if (quote !== 0) {
        if (code === quote) quote = 0
        continue
      }
      if (code === 62) break
      if (code <= 32 || code === 47) {
        between = true
        continue
      }
      if ((code === 34 || code === 39) && before === 61) quote = code
      else if (between && ++names > maxAttributes) throw new InvalidContent('An HTML element has too many attributes')
      between = false
      before = code
    }
    start = at - 1
  }
}

function nodes (children: readonly TreeNode[]): Node[] {
  const found: Node[] = []
  for (const child of children) {
    if ('value' in child) found.push(child.value)
    else if ('tagName' in child) found.push(elementOf(child))
  }
  return found
}

function elementOf (node: DefaultTreeAdapterTypes.Element): Element {
  const map = attributes()
  for (const { name, value } of node.attrs) map[name] = value
  return { tag: node.tagName, attributes: map, children: nodes(node.childNodes) }
}
