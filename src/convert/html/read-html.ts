import { defaultTreeAdapter, type DefaultTreeAdapterTypes, html as html5, parse, parseFragment } from 'parse5'
import type { Dropped } from '../dropped.ts'
import { attributes, type Element, type Node } from './element.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxElementDepth } from '../limits.ts'

type TreeNode = DefaultTreeAdapterTypes.ChildNode

/** The most attributes of a tag: a parser compares each with all before it. */
const maxAttributes = 500

/** An invisible tag behind the input. If a parser makes no element of it, a tag, a comment or the like never ended. */
const endMark = '<wbr>'

/**
 * Parses HTML as a browser would, in time linear in its length.
 * @param dropped counts a tag, a comment or the like that never ends, after which browsers too lose everything
 * @throws InvalidContent if elements are nested too deep or repeated too often
 */
export function readHtml (html: string, dropped?: Dropped): Node[] {
  checkAttributes(html)
  const bounded = boundedAdapter(html.length)
  const tree = parse(dropped === undefined ? html : html + endMark, { treeAdapter: bounded.adapter })
  if (dropped !== undefined && bounded.lastTag() !== 'wbr') dropped.add('content', 'unfinished HTML')
  return nodes(tree.childNodes)
}

/** Parses HTML inside a line of text, as `readHtml`. */
export function readHtmlFragment (html: string): Node[] {
  checkAttributes(html)
  // Without an element around it, a piece could be read as part of a table, where text is no content.
  const line = defaultTreeAdapter.createElement('div', html5.NS.HTML, [])
  return nodes(parseFragment(line, html, { treeAdapter: boundedAdapter(html.length).adapter }).childNodes)
}

/** Limits the elements: unclosed formatting is opened again in every paragraph, in a short page a million times. */
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

/** Counts the attributes of every tag, at least as many as the parser finds. @throws InvalidContent for too many */
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
