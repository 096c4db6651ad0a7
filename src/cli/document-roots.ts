import * as Y from 'yjs'
import { defaultFragment } from '../convert/yjs/blocks-to-update.ts'

/** What a root was made as, as far as its content shows; Yjs stores names without types. */
export type RootType = 'text' | 'array' | 'map' | 'xml' | 'empty'

/** A root of a document. */
export interface Root {
  readonly name: string
  readonly type: RootType
}

/** The document that these updates make. */
export function build (updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** The roots in the order of their names. */
export function rootsOf (doc: Y.Doc): Root[] {
  return [...doc.share].map(([name, type]) => ({ name, type: typeOf(type) })).sort((a, b) => a.name < b.name ? -1 : 1)
}

/** The texts of all text roots, in the order of their names. */
export function textsOf (doc: Y.Doc): string[] {
  return rootsOf(doc).filter(({ type }) => type === 'text').map(({ name }) => doc.getText(name).toString())
}

/** Whether BlockNote would find its blocks here; a document without any root is anybody's. */
export function isBlockNote (doc: Y.Doc): boolean {
  if (doc.share.size === 0) return true
  if (!doc.share.has(defaultFragment)) return false
  const first = doc.getXmlFragment(defaultFragment).firstChild
  return first instanceof Y.XmlElement && first.nodeName === 'blockGroup'
}

/** The part of a Yjs type in which its content lies. */
type Content = Pick<Y.XmlFragment, '_start' | '_map'>

function typeOf (root: Content): RootType {
  const contents = liveContents(root)
  if (contents.some((content) => content instanceof Y.ContentString || content instanceof Y.ContentFormat || content instanceof Y.ContentEmbed)) return 'text'
  if (contents.some((content) => content instanceof Y.ContentType && isXml(content.type))) return 'xml'
  if (contents.length > 0) return 'array'
  return root._map.size > 0 ? 'map' : 'empty'
}

const isXml = (type: unknown): boolean => type instanceof Y.XmlElement || type instanceof Y.XmlText || type instanceof Y.XmlHook

function liveContents (root: Content): unknown[] {
  const contents: unknown[] = []
  for (let item = root._start; item !== null; item = item.right) if (!item.deleted) contents.push(item.content)
  return contents
}
