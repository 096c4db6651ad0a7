import type { BlockSpec, HtmlParts } from './block-table.ts'
import { isBlock } from '../html/css.ts'
import { childOf, type Element, type Node } from '../html/element.ts'
import { backgroundColor, textColor, textProps } from './shared-props.ts'

const paragraph: BlockSpec = {
  type: 'paragraph',
  content: 'inline',
  props: textProps,
  toHtml: ({ attributes, inline }) => `<p${attributes}>${inline}</p>`,
  fromHtml: { tags: ['p'], read: () => ({ props: {} }) },
}

const headingTag = /^h[1-6]$/

const heading: BlockSpec = {
  type: 'heading',
  content: 'inline',
  props: { ...textProps, level: { default: 1, values: [1, 2, 3, 4, 5, 6] }, isToggleable: { default: false } },
  childrenInside: 'all',
  toHtml ({ props, attributes, inline, children }) {
    const tag = `h${String(props['level'])}`
    if (props['isToggleable'] !== true) return `<${tag}${attributes}>${inline}</${tag}>${children}`
    return `<details open=""${attributes}><summary><${tag}>${inline}</${tag}></summary>${children}</details>`
  },
  fromHtml: {
    tags: ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'details'],
    read (element) {
      if (element.tag !== 'details') return { props: { level: Number(element.tag[1]) } }
      const summary = childOf(element, 'summary')
      const title = summary && titleOf(summary)
      if (summary === undefined || title === undefined) return undefined
      return { props: { level: title.level, isToggleable: true }, content: { ...summary, children: title.children } }
    },
  },
  toMarkdown ({ props, inline, drop }) {
    if (props['isToggleable'] === true) drop('toggle')
    return `${'#'.repeat(Number(props['level']))} ${inline}`.trimEnd()
  },
}

const quote: BlockSpec = {
  type: 'quote',
  content: 'inline',
  props: { backgroundColor, textColor },
  toHtml: ({ attributes, inline }) => `<blockquote${attributes}>${inline}</blockquote>`,
  fromHtml: { tags: ['blockquote'], read: () => ({ props: {} }) },
}

const listItem = ({ attributes, inline, children }: HtmlParts) => `<li${attributes}><p>${inline}</p>${children}</li>`

const bulletListItem: BlockSpec = {
  type: 'bulletListItem',
  content: 'inline',
  props: textProps,
  list: 'ul',
  childrenInside: 'lists',
  toHtml: listItem,
}

const numberedListItem: BlockSpec = {
  type: 'numberedListItem',
  content: 'inline',
  props: { ...textProps, start: { type: 'number' } },
  list: 'ol',
  childrenInside: 'lists',
  toHtml: listItem,
}

const checkListItem: BlockSpec = {
  type: 'checkListItem',
  content: 'inline',
  props: { ...textProps, checked: { default: false } },
  list: 'ul',
  childrenInside: 'lists',
  toHtml: ({ props, attributes, inline, children }) =>
    `<li${attributes}><input type="checkbox"${props['checked'] === true ? ' checked=""' : ''}><p>${inline}</p>${children}</li>`,
}

const toggleListItem: BlockSpec = {
  type: 'toggleListItem',
  content: 'inline',
  props: textProps,
  list: 'ul',
  childrenInside: 'all',
  toHtml: ({ attributes, inline, children }) =>
    `<li${attributes}><details open=""><summary><p>${inline}</p></summary>${children}</details></li>`,
  fromHtml: {
    tags: ['details'],
    read: (element) => ({ props: {}, content: childOf(element, 'summary') ?? { tag: 'summary', attributes: {}, children: [] } }),
  },
}

const codeBlock: BlockSpec = {
  type: 'codeBlock',
  content: 'inline',
  props: { language: { default: 'text' } },
  code: true,
  toHtml ({ props, attributes, inline, escape }) {
    const language = escape(String(props['language']))
    return `<pre${attributes}><code class="language-${language}" data-language="${language}">${inline}</code></pre>`
  },
  fromHtml: {
    tags: ['pre', 'xmp', 'listing', 'plaintext'],
    read (element) {
      const { language, code } = programOf(element)
      return code === undefined ? { props: {} } : { props: { language }, content: code }
    },
  },
  toMarkdown ({ props, text, drop }) {
    let language = String(props['language'])
    // The language has to fit on the line of the fence.
    if (/[\n\r]|^\s|\s$/.test(language)) {
      drop('language of a code block')
      language = ''
    }
    return fencedCode(language, text)
  },
}

const divider: BlockSpec = {
  type: 'divider',
  content: 'none',
  props: {},
  toHtml: ({ attributes }) => `<hr${attributes}>`,
  fromHtml: { tags: ['hr'], read: () => ({ props: {} }) },
  toMarkdown: () => '***',
  toText: () => '',
}

const pageBreak: BlockSpec = {
  type: 'pageBreak',
  content: 'none',
  props: {},
  toHtml: ({ attributes }) => `<div data-page-break=""${attributes}></div>`,
  fromHtml: { tags: ['div'], read: (element) => 'data-page-break' in element.attributes ? { props: {} } : undefined },
  toMarkdown: () => '<div data-page-break=""></div>',
  toText: () => '',
}

/** BlockNote's blocks of text. Later specs read first: `details` is a heading if possible, otherwise a toggle. */
export const textBlocks: readonly BlockSpec[] = [
  paragraph,
  toggleListItem,
  heading,
  quote,
  bulletListItem,
  numberedListItem,
  checkListItem,
  codeBlock,
  divider,
  pageBreak,
]

/** A fenced code block in markdown. @param language one line without blanks at its edges */
export function fencedCode (language: string, text: string): string {
  // The line of a fence of backticks must not hold another backtick.
  const sign = language.includes('`') ? '~' : '`'
  let longest = 2
  for (const run of text.match(sign === '`' ? /`+/g : /~+/g) ?? []) longest = Math.max(longest, run.length)
  const fence = sign.repeat(longest + 1)
  return `${fence}${language.replace(/[\\&]/g, '\\$&')}\n${text === '' ? '' : text + '\n'}${fence}`
}

/** The `code` element that is the only child of a `pre`, and its language if it has one. */
export function programOf (pre: Element): { language?: string | undefined, code?: Element } {
  const code = pre.children.length === 1 ? pre.children[0] : undefined
  if (code === undefined || typeof code === 'string' || code.tag !== 'code') return {}
  return { language: code.attributes['data-language'] || languageClass(code), code }
}

/** The heading of a summary that is a single line, and that line. */
function titleOf ({ children }: Element): { level: number, children: Node[] } | undefined {
  const blocks = children.filter((child): child is Element => typeof child !== 'string' && isBlock(child))
  const title = blocks[0]
  if (title === undefined || blocks.length > 1 || !headingTag.test(title.tag)) return undefined
  const level = Number(title.tag[1])
  return children.length === 1
    ? { level, children: title.children }
    : { level, children: children.flatMap((child) => child === title ? [' ', ...title.children, ' '] : [child]) }
}

function languageClass (code: Element): string | undefined {
  return /(?:^|\s)language-(\S+)/.exec(code.attributes['class'] ?? '')?.[1]
}
