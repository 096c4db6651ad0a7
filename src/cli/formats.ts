import { convert } from '../convert/convert.ts'
import type { InputFormat, OutputFormat } from '../convert/formats.ts'
import { standardTable } from '../convert/blocks/standard-table.ts'
import { build, isBlockNote } from './document-roots.ts'

/** A file format that documents are exported to and imported from. */
export interface DocumentFormat {
  /** With its dot. */
  readonly extension: string
  /** @param update the document as one update @returns undefined if the format cannot hold this document */
  readonly encode: (update: Uint8Array) => Promise<Uint8Array | undefined>
  /**
   * @param math reads math as nodes of its own, see `CONVERSION_MATH`
   * @returns the document as one update
   * @throws Error if the content is not in this format
   */
  readonly decode: (content: Uint8Array, math: boolean) => Promise<Uint8Array>
}

/**
 * A BlockNote document in another format, without its history and what the format cannot express (docs/conversion.md).
 */
function converted (extension: string, format: InputFormat & OutputFormat): DocumentFormat {
  return {
    extension,
    encode: async (input) => isBlockNote(build([input])) ? convert({ input, from: 'yjs', to: format }, standardTable).body : undefined,
    decode: async (input, math) => convert({ input, from: format, to: 'yjs', math }, standardTable).body,
  }
}

/** The formats by their names in `--format`. Only `yjs` keeps everything. */
export const formats: ReadonlyMap<string, DocumentFormat> = new Map([
  ['yjs', {
    extension: '.yjs',
    encode: async (update: Uint8Array) => update,
    decode: async (content: Uint8Array) => content,
  }],
  ['markdown', converted('.md', 'markdown')],
  ['json', converted('.json', 'json')],
])
