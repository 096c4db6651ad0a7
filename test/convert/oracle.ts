import {
  BlockNoteSchema,
  createBlockSpec,
  createInlineContentSpec,
  createPageBreakBlockSpec,
  defaultBlockSpecs,
  defaultInlineContentSpecs,
} from '@blocknote/core'
import { ServerBlockNoteEditor } from '@blocknote/server-util'
import * as Y from 'yjs'
import { docsBlocks } from '../../src/convert/blocks/docs-blocks.ts'
import { defaultFragment } from '../../src/convert/yjs/blocks-to-update.ts'

// BlockNote itself, with La Suite Docs' blocks declared by their props. Its types ask for more than a table of data
// holds, so it is used without them.

/** server-util sets the global document, jsdom's, while it works. */
const render = (tag: string) => () => {
  const { document } = globalThis as unknown as { document: { createElement: (tag: string) => never } }
  return { dom: document.createElement(tag) }
}

const custom = Object.fromEntries((docsBlocks.blocks ?? []).map(({ type, content, props, code = false }) => [
  type,
  createBlockSpec({ type, content: content === 'inline' ? 'inline' : 'none', propSchema: propSchema(props) }, { meta: { code }, render: render('div') })(),
]))

const inline = Object.fromEntries((docsBlocks.inline ?? []).map(({ type, props }) => [
  type,
  createInlineContentSpec({ type, content: 'none', propSchema: propSchema(props) }, { render: render('span') }),
]))

const schema = BlockNoteSchema.create({
  blockSpecs: { ...defaultBlockSpecs, pageBreak: createPageBreakBlockSpec(), ...custom } as never,
  inlineContentSpecs: { ...defaultInlineContentSpecs, ...inline },
})

/** An optional prop has no default in BlockNote, only a type. */
function propSchema (props: object): never {
  const specs = Object.entries(props)
  return Object.fromEntries(specs.map(([name, spec]) => [name, { default: undefined, ...spec }])) as never
}

/** BlockNote's editor, loosely typed because tests pass JSON. */
export const oracle = ServerBlockNoteEditor.create({ schema }) as unknown as {
  blocksToYDoc: (blocks: unknown, fragment: string) => Y.Doc
  yDocToBlocks: (document: Y.Doc, fragment: string) => unknown
  tryParseMarkdownToBlocks: (markdown: string) => Promise<unknown>
  tryParseHTMLToBlocks: (html: string) => Promise<unknown>
  blocksToHTMLLossy: (blocks: unknown) => Promise<string>
  blocksToMarkdownLossy: (blocks: unknown) => Promise<string>
}

/** BlockNote's update for blocks. */
export function oracleUpdate (blocks: unknown): Uint8Array {
  return Y.encodeStateAsUpdate(oracle.blocksToYDoc(structuredClone(blocks), defaultFragment))
}

/** The blocks that BlockNote reads from an update. */
export function oracleBlocks (update: Uint8Array): unknown {
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  return oracle.yDocToBlocks(document, defaultFragment)
}
