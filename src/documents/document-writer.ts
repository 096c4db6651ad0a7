import { ConversionFailure } from '../convert/conversion-failure.ts'
import type { DroppedItem } from '../convert/dropped.ts'
import { BoundedMap } from '../queue/bounded-map.ts'
import { DamagedDocument, type Store, type StoredDocument } from '../store/store.ts'
import type { Rooms } from '../sync/rooms.ts'
import { logBytes } from '../sync/save/stored-documents.ts'
import type { DeletedContent } from './deleted-content.ts'
import type { DocumentCapacity } from './document-capacity.ts'
import { DocumentConflict, DocumentFailure, LossyContent } from './document-failure.ts'
import type { Documents, ReadDocument } from './documents.ts'
import { DocumentTurns } from './document-turns.ts'
import type { DocumentEditor } from './edit/document-editor.ts'
import type {
  CopyRequest, CreateRequest, Edited, EditingClient, EditRequest, InsertRequest, MergeRequest, ReplaceRequest,
} from './edit/edit-request.ts'
import { failStore, failWork } from './failures.ts'

/** The circumstances of a write. */
export interface Write {
  /** The name of the document that is written. */
  readonly room: string
  /** User ids of those who have made the edit. */
  readonly authors: readonly string[]
  /** The document must be at one of these sequences; undefined: at any. A document that is created is at none. */
  readonly ifMatch?: readonly number[] | undefined
  /** Whether content that the document cannot hold makes the write fail. */
  readonly isStrict?: boolean
  /** Aborts the write while nothing of it is stored. */
  readonly signal: AbortSignal
}

/** A write that is stored. */
export interface Written {
  /** The document's sequence with the write. */
  readonly sequence: number
  /** What the content holds that the document cannot, each kind with its count. */
  readonly dropped: readonly DroppedItem[]
}

/** What a write of an existing document adds; the document's state follows. */
export type Change =
  | Omit<ReplaceRequest, 'state'>
  | Omit<InsertRequest, 'state'>
  | Omit<MergeRequest, 'state'>

/** What a writer needs. */
export interface DocumentWriterOptions {
  readonly store: Pick<Store, 'appendIf' | 'create'>
  readonly documents: Documents
  readonly editor: DocumentEditor
  readonly capacity: DocumentCapacity
  readonly deletedContent: DeletedContent
  readonly rooms: Pick<Rooms, 'wrote'>
}

/** A Yjs update without content. */
const emptyUpdate = Uint8Array.of(0, 0)

/** Documents whose client is remembered, at about 100 bytes each. */
const maxClients = 10_000

/** Attempts in a row if the document is deleted and created again each time. */
const maxAttempts = 3

/** Whether the edit can take over structs of its content, and with them clients of a deleted document. */
function bringsClients (change: Change): boolean {
  return change.type === 'merge' || (change.type === 'replace' && change.from === 'yjs')
}

/**
 * Writes documents for Django. A write is an edit like that of any client: a thread makes the smallest update for the
 * state that is stored, the store adds it, and whoever has the document open reads it there. What others store at the
 * same time is merged with it, unless the write is for one state alone (`ifMatch`).
 */
export class DocumentWriter {
  readonly #options: DocumentWriterOptions
  readonly #turns = new DocumentTurns()
  /** The client that has edited each document for this node */
  readonly #clients = new BoundedMap<string, EditingClient>(maxClients)

  constructor (options: DocumentWriterOptions) {
    this.#options = options
  }

  /**
   * Creates a document from content.
   * @throws DocumentFailure; `exists` if there is one of this name
   * @throws ConversionFailure if the content cannot be read
   */
  async create (write: Write, request: CreateRequest): Promise<Written> {
    return await this.#turns.run(write.room, request.input.byteLength, async () => {
      await this.#assertNone(write)
      return await this.#add(write, request)
    })
  }

  /**
   * Creates a document with the content of another.
   * @param from the name of the other document
   * @throws DocumentFailure; `absent` and `deleted` are about the other document, `exists` about the new one
   */
  async copy (write: Write, from: string, options: Pick<CopyRequest, 'withoutComments'>): Promise<Written> {
    return await this.#turns.run(write.room, 0, async () => {
      const { update: state } = await this.#read(from, write.signal)
      await this.#assertNone(write)
      return await this.#add(write, { type: 'copy', state, ...options })
    })
  }

  /**
   * Changes a document that exists. Nothing is stored if nothing changes.
   * @throws DocumentFailure
   * @throws ConversionFailure if the content cannot be read or merged
   * @throws BlockNotFound
   * @throws DamagedState
   */
  async change (write: Write, change: Change): Promise<Written> {
    return await this.#turns.run(write.room, change.input.byteLength, async () => {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const written = await this.#change(write, change)
        if (written !== undefined) return written
      }
      throw new DocumentFailure('busy', 'The document was created again and again')
    })
  }

  /** @returns undefined if the document was deleted and created again meanwhile */
  async #change (write: Write, change: Change): Promise<Written | undefined> {
    const { store } = this.#options
    const { room: document, authors, ifMatch } = write
    const read = await this.#read(document, write.signal)
    const { sequence: readAt, stored } = read
    if (ifMatch?.includes(readAt) === false) throw new DocumentConflict('changed', readAt)
    const { update, dropped, client } = await this.#edit(write, this.#requestOf(document, change, read.update))
    if (update === undefined) return { sequence: readAt, dropped }
    await this.#assertHolds(document, stored, update)
    if (bringsClients(change)) await this.#assertNotDeleted(document, stored, update)
    const condition = { readAt, isLast: ifMatch !== undefined }
    const appended = await store.appendIf({ document, update, authors }, condition).catch((cause: unknown) => {
      // The update may have been stored although the connection was lost: another one must not have the same clocks.
      this.#clients.delete(document)
      return failStore(cause)
    })
    switch (appended.type) {
      case 'stored':
        if (client !== undefined) this.#clients.set(document, client)
        this.#wrote(document, stored, update, appended.seq)
        return { sequence: appended.seq, dropped }
      case 'absent':
        throw await this.#options.documents.absence(document)
      case 'changed':
        if (ifMatch !== undefined) throw new DocumentConflict('changed', appended.lastSeq)
        return undefined
    }
  }

  #requestOf (document: string, change: Change, state: Uint8Array): EditRequest {
    const client = this.#clients.get(document)
    if (change.type === 'merge' || client === undefined) return { ...change, state }
    return { ...change, state, client }
  }

  /** Stores a new document. */
  async #add (write: Write, request: CreateRequest | CopyRequest): Promise<Written> {
    const { room, authors } = write
    const { update = emptyUpdate, dropped } = await this.#edit(write, request)
    await this.#assertHolds(room, undefined, update)
    const sequence = await this.#options.store.create(room, update, authors).catch(failStore)
    if (sequence === undefined) throw new DocumentConflict('exists', (await this.#options.documents.find(room))?.sequence)
    this.#wrote(room, undefined, update, sequence)
    return { sequence, dropped }
  }

  async #edit ({ isStrict = false, signal }: Write, request: EditRequest): Promise<Edited> {
    const edited = await this.#options.editor.edit(request, signal)
    if (isStrict && edited.dropped.length > 0) throw new LossyContent(edited.dropped)
    return edited
  }

  async #read (document: string, signal: AbortSignal): Promise<ReadDocument> {
    // Its client has left while it waited.
    if (signal.aborted) throw new ConversionFailure('cancelled', 'The client has disconnected')
    const read = await this.#options.documents.read(document)
    if (read === undefined) throw await this.#options.documents.absence(document)
    return read
  }

  /** Before the content is read, which costs more. */
  async #assertNone ({ room, signal }: Write): Promise<void> {
    if (signal.aborted) throw new ConversionFailure('cancelled', 'The client has disconnected')
    const found = await this.#options.documents.find(room)
    if (found !== undefined) throw new DocumentConflict('exists', found.sequence)
  }

  async #assertHolds (document: string, stored: StoredDocument | undefined, update: Uint8Array): Promise<void> {
    await this.#options.capacity.assertHolds(document, stored, update).catch((cause: unknown) => {
      if (cause instanceof DocumentFailure) throw cause
      failWork(cause)
    })
  }

  async #assertNotDeleted (document: string, stored: StoredDocument, update: Uint8Array): Promise<void> {
    await this.#options.deletedContent.assertNone(document, stored, update).catch((cause: unknown) => {
      throw cause instanceof DamagedDocument ? new DocumentFailure('damaged', cause.message, { cause }) : cause
    })
  }

  #wrote (document: string, before: StoredDocument | undefined, update: Uint8Array, sequence: number): void {
    this.#options.rooms.wrote(document, sequence, {
      snapshotBytes: before?.snapshot?.bytes ?? 0,
      logBytes: (before === undefined ? 0 : logBytes(before)) + update.length,
      logEntries: (before?.log.length ?? 0) + 1,
    })
  }
}
