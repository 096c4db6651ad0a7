import * as Y from 'yjs'
import { defaultFragment } from '../convert/yjs/blocks-to-update.ts'

/** The type of a root, guessed from its content: Yjs stores the names of roots without their types. */
export type RootType = 'text' | 'array' | 'map' | 'xml' | 'empty'

/** A root of a document. */
export interface Root {
  readonly name: string
  readonly type: RootType
}

/** Builds a document from its updates. */
export function build (updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** The roots of a document, sorted by name. */
export function rootsOf (doc: Y.Doc): Root[] {
  return [...doc.share].map(([name, type]) => ({ name, type: typeOf(type) })).sort((a, b) => a.name < b.name ? -1 : 1)
}

/** The texts of all text roots, sorted by the roots' names. */
export function textsOf (doc: Y.Doc): string[] {
  return rootsOf(doc).filter(({ type }) => type === 'text').map(({ name }) => doc.getText(name).toString())
}

/** Whether BlockNote can open the document: it has a root with blocks, or no root at all. */
export function isBlockNote (doc: Y.Doc): boolean {
  if (doc.share.size === 0) return true
  if (!doc.share.has(defaultFragment)) return false
  const first = doc.getXmlFragment(defaultFragment).firstChild
  return first instanceof Y.XmlElement && first.nodeName === 'blockGroup'
}

/** The part of a Yjs type that holds its content. */
type Content = Pick<Y.XmlFragment, '_start' | '_map'>

function typeOf (root: Content): RootType {
  const contents = liveContents(root)
  if (contents.some(isText)) return 'text'
  if (contents.some((content) => content instanceof Y.ContentType && isXml(content.type))) return 'xml'
  if (contents.length > 0) return 'array'
  return root._map.size > 0 ? 'map' : 'empty'
}

const isText = (content: unknown): boolean =>
  content instanceof Y.ContentString || content instanceof Y.ContentFormat || content instanceof Y.ContentEmbed

const isXml = (type: unknown): boolean =>
  type instanceof Y.XmlElement || type instanceof Y.XmlText || type instanceof Y.XmlHook

function liveContents (root: Content): unknown[] {
  const contents: unknown[] = []
  for (let item = root._start; item !== null; item = item.right) if (!item.deleted) contents.push(item.content)
  return contents
}
