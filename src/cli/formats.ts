import { convert } from '../convert/convert.ts'
import type { InputFormat, OutputFormat } from '../convert/formats.ts'
import { standardTable } from '../convert/blocks/standard-table.ts'
import { prepare } from '../settings/prepare.ts'
import { build, isBlockNote } from './document-roots.ts'

/** A kind of file that a document can be written to and read from. */
export interface DocumentFormat {
  /** With its dot */
  readonly extension: string
  /** @param update the document as one update @returns undefined where the format is not for documents like this one */
  readonly encode: (update: Uint8Array) => Promise<Uint8Array | undefined>
  /** @returns the document as one update @throws Error for content that is none */
  readonly decode: (content: Uint8Array) => Promise<Uint8Array>
}

/** A BlockNote document in another format. Its history stays behind, and what the format cannot say (docs/conversion.md). */
function converted (extension: string, format: InputFormat & OutputFormat): DocumentFormat {
  return {
    extension,
    encode: async (input) => isBlockNote(build([input])) ? convert({ input, from: 'yjs', to: format }, standardTable).body : undefined,
    decode: async (input) => convert({ input, from: format, to: 'yjs', math: prepare(process.env).CONVERSION_MATH === 'true' }, standardTable).body,
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
