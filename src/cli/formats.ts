import { convert } from '../convert/convert.ts'
import type { InputFormat, OutputFormat } from '../convert/formats.ts'
import { standardTable } from '../convert/standard-table.ts'

/** A kind of file that a document can be written to and read from. */
export interface DocumentFormat {
  /** With its dot */
  readonly extension: string
  /** @param update the document as one update */
  readonly encode: (update: Uint8Array) => Promise<Uint8Array>
  /** @returns the document as one update @throws Error for content that is none */
  readonly decode: (content: Uint8Array) => Promise<Uint8Array>
}

/** A document of blocks in another format. Its history stays behind, and what the format cannot say (docs/conversion.md). */
function converted (extension: string, format: InputFormat & OutputFormat): DocumentFormat {
  return {
    extension,
    encode: async (input) => convert({ input, from: 'yjs', to: format }, standardTable).body,
    decode: async (input) => convert({ input, from: format, to: 'yjs' }, standardTable).body,
  }
}

/** By the name that `--format` takes. `yjs` alone keeps everything. */
export const formats: ReadonlyMap<string, DocumentFormat> = new Map([
  ['yjs', {
    extension: '.yjs',
    encode: async (update: Uint8Array) => update,
    decode: async (content: Uint8Array) => content,
  }],
  ['markdown', converted('.md', 'markdown')],
  ['json', converted('.json', 'json')],
])
