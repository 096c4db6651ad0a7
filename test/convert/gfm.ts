import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import type { Node } from '../../src/convert/html/element.ts'
import { readHtml } from '../../src/convert/html/read-html.ts'

/** Renders GitHub's dialect of markdown as HTML, by a renderer that shares no code with ours. */
export function renderGfm (markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  })
}

/** The visible content of a page: its lines of text with the signs of its lists, and its addresses, in order. */
export interface Seen { text: string, addresses: string[] }

const line = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'li', 'ul', 'ol', 'pre', 'blockquote', 'table', 'tr', 'td', 'th', 'div', 'aside', 'figure', 'figcaption', 'details', 'summary', 'hr', 'section', 'img', 'video', 'audio'])

/** Reads the visible content of a page, without blanks at the edges of lines and without empty lines. */
export function seen (html: string): Seen {
  const addresses: string[] = []
  const text = readHtml(html).map((node) => write(node, addresses)).join('')
  const lines = text.split('\n').map((part) => part.replace(/[ \t\u00a0]+/g, ' ').trim())
  return { text: lines.filter((part) => part !== '').join('\n'), addresses }
}

function write (node: Node, addresses: string[], before = ''): string {
  if (typeof node === 'string') return node
  const { tag, attributes } = node
  if (tag === 'br') return '\n'
  // GitHub shows the brackets of a checkbox without text.
  if (tag === 'input') return 'checked' in attributes ? '[x]\n' : '[ ]\n'
  const address = tag === 'a' ? attributes['href'] : attributes['src']
  // A link that is partly bold is two elements in our HTML.
  if (address !== undefined && addresses.at(-1) !== plainAddress(address)) addresses.push(plainAddress(address))
  let number = tag === 'ol' ? Number(attributes['start'] ?? 1) : undefined
  let text = before
  for (const child of node.children) {
    const sign = typeof child !== 'string' && child.tag === 'li' ? number === undefined ? '•\n' : `${number++}.\n` : ''
    text += write(child, addresses, sign)
  }
  return line.has(tag) ? `\n${text}\n` : text
}

/** Decodes an address, since renderers differ in what they percent-encode. Bytes that are not UTF-8 stay encoded. */
function plainAddress (address: string): string {
  return address.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}
