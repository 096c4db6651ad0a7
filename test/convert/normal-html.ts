import type { Node } from '../../src/convert/html/element.ts'
import { readHtmlFragment } from '../../src/convert/html/read-html.ts'

/** What BlockNote's editor leaves on the elements for itself, and what we add so that files can be read back. */
const noise = new Set(['data-editable', 'classname', 'data-inline-content-type', 'data-content-type'])

/** HTML as a tree in which only what a reader sees makes a difference. */
export function normalHtml (html: string): unknown {
  return readHtmlFragment(html).map(normal)
}

function normal (node: Node): unknown {
  if (typeof node === 'string') return node
  const attributes: Record<string, string> = {}
  for (const name of Object.keys(node.attributes).sort()) {
    const value = node.attributes[name] ?? ''
    if (noise.has(name)) continue
    if (name === 'class') {
      const classes = value.split(' ').filter((part) => !part.startsWith('bn-')).join(' ')
      if (classes !== '') attributes[name] = classes
    } else attributes[name] = name === 'style' ? normalStyle(value) : value
  }
  return { tag: node.tag, attributes, children: node.children.map(normal) }
}

function normalStyle (style: string): string {
  return style.split(';').map((part) => part.trim()).filter((part) => part !== '').sort().join(';').replace(/rgb\((\d+), (\d+), (\d+)\)/g, (_, ...rgb: string[]) => '#' + rgb.slice(0, 3).map((part) => Number(part).toString(16).padStart(2, '0')).join(''))
}
