import * as Y from 'yjs'
import { InvalidContent } from '../../convert/conversion-failure.ts'
import { maxBlockDepth } from '../../convert/limits.ts'
import type { Formats, StoredElement, StoredText } from '../../convert/yjs/stored-node.ts'
import { noFormats, withFormat } from '../../convert/yjs/stored-node.ts'

/** Characters with the same formats, or one embedded object, whose text is then empty. */
export interface TreeRun {
  readonly text: string
  readonly formats: Formats
  readonly embed?: unknown
}

/** An XmlText. `source` is the one in the document that it is or shall be. */
export interface TreeText extends StoredText {
  runs: TreeRun[]
  /** BlockNote has none, other editors store the type of a paragraph there. */
  attributes?: Record<string, unknown>
  source?: Y.XmlText | null
}

/**
 * An XmlElement. `source` is the one in the document that it is or shall be; null: it shall be a new one; undefined:
 * whichever fits.
 */
export interface TreeElement extends StoredElement {
  children: TreeNode[]
  source?: Y.XmlElement | null
}

/** A child of a fragment or element, as it is stored or as it shall be. */
export type TreeNode = TreeElement | TreeText

/** The type in a document that a node was read from. */
export type SourceType = Y.XmlElement | Y.XmlText

/** A block takes two levels, a table's cell three more. Others than BlockNote nest less. */
const maxTreeDepth = maxBlockDepth * 2 + 8

/** Whether a node is text. */
export function isTreeText (node: TreeNode): node is TreeText {
  return 'runs' in node
}

/** Reads the children of a fragment with their sources. @throws InvalidContent if they are nested too deep */
export function readTree (type: Y.XmlFragment): TreeNode[] {
  return read(type, true, 0)
}

/** Reads the children of a fragment as they shall be in another document. @throws InvalidContent */
export function readForeignTree (type: Y.XmlFragment): TreeNode[] {
  return read(type, false, 0)
}

function read (type: Y.XmlFragment, hasSource: boolean, depth: number): TreeNode[] {
  if (depth > maxTreeDepth) throw new InvalidContent('Elements are nested too deep')
  const nodes: TreeNode[] = []
  for (let item = type._start; item !== null; item = item.right) {
    const child = !item.deleted && item.content instanceof Y.ContentType ? item.content.type : undefined
    if (child instanceof Y.XmlText) nodes.push({ ...textOf(child), ...hasSource && { source: child } })
    else if (child instanceof Y.XmlElement) {
      const children = read(child, hasSource, depth + 1)
      const element = { name: child.nodeName, attributes: attributesOf(child), children }
      nodes.push(hasSource ? { ...element, source: child } : element)
    }
  }
  return nodes
}

function textOf (type: Y.XmlText): TreeText {
  const text = runsOf(type)
  return type._map.size === 0 ? text : { ...text, attributes: attributesOf(type) }
}

/** The attributes of an element. An array's items beyond the last are earlier values. */
function attributesOf (type: SourceType): Record<string, unknown> {
  const attributes = Object.create(null) as Record<string, unknown>
  for (const [name, item] of type._map) {
    if (!item.deleted) attributes[name] = item.content.getContent()[item.length - 1]
  }
  return attributes
}

/** Reads the runs of a text. Only characters are joined: every embedded object is a run of its own. */
export function runsOf (type: Y.Text): StoredText & { runs: TreeRun[] } {
  const runs: TreeRun[] = []
  let embeds = 0
  let formats = noFormats
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const { content } = item
    if (content instanceof Y.ContentString) runs.push({ text: content.str, formats })
    else if (content instanceof Y.ContentFormat) formats = withFormat(formats, content.key, content.value)
    else {
      embeds += item.length
      for (const embed of content.getContent()) runs.push({ text: '', formats, embed })
    }
  }
  return { runs, embeds }
}
