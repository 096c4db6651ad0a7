import * as Y from 'yjs'
import { scanUpdate } from '../../update/scan-update.ts'
import type { Dropped } from '../dropped.ts'
import { InvalidContent } from '../conversion-failure.ts'
import { maxBlockDepth } from '../limits.ts'
import { noFormats, type StoredElement, type StoredNode, type StoredText, withFormat } from './stored-node.ts'

/** A block takes two levels, a table's cell three more. */
const maxNodeDepth = maxBlockDepth * 2 + 8

/**
 * Reads a fragment from an update of any history through a Y.Doc, along its linked lists, without deltas and events.
 * @throws InvalidContent if the update does not decode, cannot be applied or is nested too deep
 */
export function readDocument (update: Uint8Array, fragment: string, dropped: Dropped): StoredNode[] {
  // Collection would be wasted on a document that is dropped at once.
  const document = new Y.Doc({ gc: false })
  try {
    scanUpdate(update)
    Y.applyUpdate(document, update)
  } catch {
    throw new InvalidContent('The Yjs update does not decode, or Yjs cannot apply it')
  }
  if (document.store.pendingStructs !== null) dropped.add('content', 'updates that depend on others which are not there')
  // A wrong name must not look like an empty document.
  const others = document.share.has(fragment) ? [] : document.share.keys()
  for (const name of others) dropped.add('content', `root ${name}`)
  return childrenOf(document.getXmlFragment(fragment), dropped, 0)
}

function childrenOf (type: Y.XmlFragment, dropped: Dropped, depth: number): StoredNode[] {
  if (depth > maxNodeDepth) throw new InvalidContent('Blocks are nested too deep')
  const nodes: StoredNode[] = []
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const child = item.content instanceof Y.ContentType ? item.content.type : undefined
    if (child instanceof Y.XmlText) nodes.push(textOf(child))
    else if (child instanceof Y.XmlElement) nodes.push(elementOf(child, dropped, depth))
    else dropped.add('content', 'object in a fragment', item.length)
  }
  return nodes
}

function elementOf (type: Y.XmlElement, dropped: Dropped, depth: number): StoredElement {
  const attributes = Object.create(null) as StoredElement['attributes']
  for (const [name, item] of type._map) {
    // A key has one value: the last one of its item.
    if (!item.deleted) attributes[name] = item.content.getContent()[item.length - 1]
  }
  return { name: type.nodeName, attributes, children: childrenOf(type, dropped, depth + 1) }
}

function textOf (type: Y.XmlText): StoredText {
  const text: StoredText = { runs: [], embeds: 0 }
  let formats = noFormats
  for (let item = type._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const { content } = item
    if (content instanceof Y.ContentString) text.runs.push({ text: content.str, formats })
    else if (content instanceof Y.ContentFormat) formats = withFormat(formats, content.key, content.value)
    else text.embeds += item.length
  }
  return text
}
