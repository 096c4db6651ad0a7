/** A kind of file that a document can be written to and read from. */
export interface DocumentFormat {
  /** With its dot */
  readonly extension: string
  /** @param update the document as one update */
  readonly encode: (update: Uint8Array) => Promise<Uint8Array>
  /** @returns the document as one update @throws Error for content that is none */
  readonly decode: (content: Uint8Array) => Promise<Uint8Array>
}

/** By the name that `--format` takes. `yjs` keeps everything; others may come from the converters. */
export const formats: ReadonlyMap<string, DocumentFormat> = new Map([
  ['yjs', {
    extension: '.yjs',
    encode: async (update) => update,
    decode: async (content) => content,
  }],
])
