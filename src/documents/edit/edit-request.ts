import type { ConvertRequest } from '../../convert/convert.ts'
import type { DroppedItem } from '../../convert/dropped.ts'
import type { InputFormat } from '../../convert/formats.ts'

/** How content is read, and where it belongs, as for a conversion. */
export type EditOptions = Pick<ConvertRequest, 'fragment' | 'origin' | 'math' | 'softBreaks'>

/** A format of blocks. Everything but Yjs, whose updates are merged instead. */
export type BlockFormat = Exclude<InputFormat, 'yjs'>

/** The place of inserted blocks: at an end of the document, or at a block, which may be nested, by its id. */
export type InsertPosition =
  | { readonly at: 'start' | 'end' }
  | { readonly before: string }
  | { readonly after: string }
  | { readonly replace: string }

/**
 * A client id under which edits of a document are made one after the other. Each client stays in the document for ever,
 * so a writer that used a new one each time would fill it with clients.
 */
export interface EditingClient {
  readonly id: number
  /** The clock after its last edit. If the document has another one, a new client makes the edit. */
  readonly clock: number
}

/** The first content of a document that does not exist yet. */
export interface CreateRequest extends EditOptions {
  readonly type: 'create'
  readonly input: Uint8Array
  readonly from: InputFormat
}

/** All content of a document is replaced, where it differs. A Yjs body replaces all roots, blocks one fragment. */
export interface ReplaceRequest extends EditOptions {
  readonly type: 'replace'
  /** The stored document as one Yjs update, V1. */
  readonly state: Uint8Array
  /** The client that makes the edit. Only blocks are written by it. */
  readonly client?: EditingClient
  readonly input: Uint8Array
  readonly from: InputFormat
}

/** Blocks are added. */
export interface InsertRequest extends EditOptions {
  readonly type: 'insert'
  readonly state: Uint8Array
  readonly client?: EditingClient
  readonly input: Uint8Array
  readonly from: BlockFormat
  readonly position: InsertPosition
}

/** A Yjs update is added. */
export interface MergeRequest {
  readonly type: 'merge'
  readonly state: Uint8Array
  readonly input: Uint8Array
}

/** A new document gets the visible content of another. */
export interface CopyRequest {
  readonly type: 'copy'
  readonly state: Uint8Array
  /** Leaves out the marks that comments put on text. */
  readonly withoutComments?: boolean
}

/** An edit of a document by API. */
export type EditRequest = CreateRequest | ReplaceRequest | InsertRequest | MergeRequest | CopyRequest

/** The result of an edit. */
export interface Edited {
  /** A Yjs update, V1, with nothing but the difference; undefined if there is none. */
  readonly update: Uint8Array | undefined
  /** What the input holds that the document cannot, each kind with its count. */
  readonly dropped: DroppedItem[]
  /** The client that has made the edit, for the next one. */
  readonly client?: EditingClient
}
