import type { DocumentInfo, StoredDocument } from '../../../src/store/store.ts'

/** Text as bytes, in place of an update: a store does not read updates. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Bytes as text. */
export const text = (data: Uint8Array | undefined): string | undefined =>
  data && new TextDecoder('utf-8', { ignoreBOM: true }).decode(data)

/** `length` equal bytes. */
export const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

/** Content that neither compresses nor repeats, the same for the same seed. */
export function noise (length: number, seed: number): Uint8Array {
  const data = new Uint8Array(length)
  let state = seed | 1
  for (let at = 0; at < length; at++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0
    data[at] = state >>> 24
  }
  return data
}

/** All documents of a list. */
export async function collect (list: AsyncIterable<DocumentInfo>): Promise<DocumentInfo[]> {
  const all: DocumentInfo[] = []
  for await (const info of list) all.push(info)
  return all
}

/** The names of a list. */
export async function names (list: AsyncIterable<DocumentInfo>): Promise<string[]> {
  return (await collect(list)).map(({ document }) => document)
}

/** The log of a document as texts. */
export const logOf = (stored: StoredDocument | undefined): Array<string | undefined> | undefined =>
  stored?.log.map(({ update }) => text(update))
