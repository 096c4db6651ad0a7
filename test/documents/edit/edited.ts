import * as Y from 'yjs'
import type { Block } from '../../../src/convert/blocks/block.ts'
import { standardTable as table } from '../../../src/convert/blocks/standard-table.ts'
import { validateBlocks } from '../../../src/convert/blocks/validate-blocks.ts'
import { convert } from '../../../src/convert/convert.ts'
import { Dropped } from '../../../src/convert/dropped.ts'
import { blocksToUpdate, defaultFragment } from '../../../src/convert/yjs/blocks-to-update.ts'
import { updateToBlocks } from '../../../src/convert/yjs/update-to-blocks.ts'
import { edit } from '../../../src/documents/edit/edit.ts'
import type { BlockFormat, InsertPosition } from '../../../src/documents/edit/edit-request.ts'

/** The formats of blocks. */
export const blockFormats: readonly BlockFormat[] = ['json', 'html', 'markdown']

/** The bytes of a text, or of blocks as JSON. */
export function bytes (input: unknown): Uint8Array {
  return new TextEncoder().encode(typeof input === 'string' ? input : JSON.stringify(input))
}

/** A document with these blocks, which can be partial. */
export const documentOf = (blocks: unknown) => blocksToUpdate(complete(blocks), table)

/** Complete blocks. */
export const complete = (blocks: unknown): Block[] => validateBlocks(blocks, table, new Dropped())

/** A Y.Doc with all of these updates. */
export function docOf (...updates: Array<Uint8Array | undefined>): Y.Doc {
  const doc = new Y.Doc()
  for (const update of updates) if (update !== undefined) Y.applyUpdate(doc, update)
  return doc
}

/** The whole document after some updates. */
export const stateOf = (...updates: Array<Uint8Array | undefined>) => Y.encodeStateAsUpdate(docOf(...updates))

/** The update of a replacement. */
export function replaced (state: Uint8Array, input: unknown, from: BlockFormat): Uint8Array | undefined {
  return edit({ type: 'replace', state, input: bytes(input), from }, table).update
}

/** The update of an insertion. */
export function inserted (
  state: Uint8Array,
  input: unknown,
  from: BlockFormat,
  position: InsertPosition
): Uint8Array | undefined {
  return edit({ type: 'insert', state, input: bytes(input), from, position }, table).update
}

/** A document in a format, as text. */
export function read (state: Uint8Array, to: BlockFormat): string {
  return Buffer.from(convert({ input: state, from: 'yjs', to }, table).body).toString()
}

/** The blocks of a document. */
export const blocksOf = (state: Uint8Array) => updateToBlocks(state, table, new Dropped())

/** The root fragment. */
export const fragmentOf = (doc: Y.Doc) => doc.getXmlFragment(defaultFragment)

/** A document as its elements, with their attributes, and its texts with their formats. */
export const xmlOf = (state: Uint8Array) => fragmentOf(docOf(state)).toString()

/** All texts of a document in their order. */
export function textsOf (doc: Y.Doc): Y.XmlText[] {
  return [...fragmentOf(doc).createTreeWalker((node) => node instanceof Y.XmlText)] as Y.XmlText[]
}
