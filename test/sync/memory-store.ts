import { type AppendCondition, type ConditionalAppend, DamagedDocument, type DocumentInfo, type LogEntry, type NextSnapshot, type SnapshotHead, type Store, type StoredDocument, type StoredSetAside, type StoredUpdate, type Tombstone } from '../../src/store/store.ts'
import { Known } from '../../src/update/known.ts'
import { scanUnchecked } from '../../src/update/scan-update.ts'
import { Gate } from './gate.ts'

interface Document {
  snapshot: SnapshotHead | undefined
  pieces: readonly Uint8Array[]
  setAside: readonly StoredSetAside[]
  log: StoredUpdate[]
  base: number
  lastSeq: number
  /** The last update of each person */
  authors: Map<string, number>
  /** The content of the committed bytes, so that a test can ask at any moment whether something is stored */
  known: Known
}

/** A store in memory; the test can hold back every operation or make it fail. */
export class MemoryStore implements Store {
  readonly documents = new Map<string, Document>()
  readonly tombstones = new Map<string, Tombstone>()
  /** Held operations wait here; a failing gate rejects before anything is changed. */
  readonly appends = new Gate()
  readonly loads = new Gate()
  readonly reads = new Gate()
  readonly compactions = new Gate()
  /** Documents whose bytes are damaged */
  readonly damaged = new Set<string>()
  /** Documents whose updates the store rejects */
  readonly refused = new Set<string>()
  /** The calls of append, in order, failed ones too */
  readonly appended: LogEntry[][] = []
  loaded = 0
  compacted = 0
  /** Documents created from now on have higher numbers. */
  #floor = 0
  #order: Promise<unknown> = Promise.resolve()

  append (entries: readonly LogEntry[]): Promise<readonly number[]> {
    // Copied before anything is awaited: a buffer that the caller reuses must not change what is stored.
    const copies = entries.map(({ document, update, authors = [], after }) => {
      return { document, update: new Uint8Array(update), authors, ...after === undefined ? {} : { after } }
    })
    this.appended.push(copies)
    const done = this.#order.then(async () => {
      await this.appends.pass()
      const refused = copies.find(({ document }) => this.refused.has(document))
      if (refused !== undefined) throw new Error('The store refuses this document')
      return copies.map((entry) => this.#commit(entry))
    })
    this.#order = done.catch(() => {})
    return done
  }

  #commit ({ document, update, authors = [], after }: LogEntry): number {
    if (after !== undefined && !this.#accepts(document, after)) return 0
    const stored = this.#document(document)
    stored.log.push({ seq: ++stored.lastSeq, update })
    for (const author of authors) stored.authors.set(author, stored.lastSeq)
    stored.known.add(scanUnchecked(update))
    return stored.lastSeq
  }

  #accepts (document: string, after: number): boolean {
    if (after === 0) return !this.tombstones.has(document)
    const stored = this.documents.get(document)
    return stored !== undefined && after > stored.base
  }

  async create (document: string, update: Uint8Array, authors: readonly string[] = []): Promise<number | undefined> {
    return this.documents.has(document) ? undefined : this.#commit({ document, update, authors })
  }

  async appendIf (entry: LogEntry, { readAt, isLast }: AppendCondition): Promise<ConditionalAppend> {
    await this.appends.pass()
    const stored = this.documents.get(entry.document)
    if (stored === undefined) return { type: 'absent' }
    const { base, lastSeq } = stored
    if (readAt <= base || (isLast && lastSeq !== readAt)) return { type: 'changed', lastSeq }
    return { type: 'stored', seq: this.#commit(entry) }
  }

  async load (name: string, since = 0): Promise<StoredDocument | undefined> {
    this.loaded++
    await this.loads.pass()
    if (this.damaged.has(name)) throw new DamagedDocument(name, 'its checksum differs')
    const document = this.documents.get(name)
    if (document === undefined) return undefined
    const { snapshot, log, lastSeq, base } = document
    const hasTombstone = this.tombstones.has(name)
    return { snapshot, log: log.filter(({ seq }) => seq > since), lastSeq, updatedAt: 0, base, hasTombstone }
  }

  async readPiece (name: string, generation: number, index: number): Promise<Uint8Array | undefined> {
    await this.reads.pass()
    const document = this.documents.get(name)
    return document?.snapshot?.generation === generation ? document.pieces[index] : undefined
  }

  async compact (
    name: string,
    { replaces, upTo, pieces, known, setAside = [] }: NextSnapshot
  ): Promise<SnapshotHead | undefined> {
    await this.compactions.pass()
    const document = this.#document(name)
    if ((document.snapshot?.generation ?? 0) !== replaces) return undefined
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    document.snapshot = { generation: replaces + 1, upTo, pieces: pieces.length, bytes, known }
    document.pieces = pieces
    // Building the document also deletes what no update mentions: of concurrent values of one key, all but one.
    for (const piece of pieces) document.known.add(scanUnchecked(piece))
    const held = document.setAside.length
    const added = setAside.map((update, index) => ({ ...update, seq: held + index + 1, at: Date.now() }))
    document.setAside = [...document.setAside, ...added]
    document.log = document.log.filter(({ seq }) => seq > upTo)
    this.compacted++
    return document.snapshot
  }

  async setAside (name: string): Promise<readonly StoredSetAside[]> {
    return this.documents.get(name)?.setAside ?? []
  }

  async removeSetAside (name: string): Promise<number> {
    const document = this.documents.get(name)
    const removed = document?.setAside.length ?? 0
    if (document !== undefined) document.setAside = []
    return removed
  }

  async authors (name: string, since: number): Promise<readonly string[]> {
    const authors = this.documents.get(name)?.authors ?? new Map<string, number>()
    return [...authors].filter(([, seq]) => seq > since).sort(([, a], [, b]) => b - a).map(([author]) => author)
  }

  async remove (name: string, deleted?: Uint8Array, lastSeq?: number): Promise<boolean> {
    const document = this.documents.get(name)
    if (document === undefined || (lastSeq !== undefined && lastSeq !== document.lastSeq)) return false
    this.documents.delete(name)
    this.#floor = Math.max(this.#floor, document.lastSeq)
    if (deleted !== undefined) this.tombstones.set(name, { deleted, at: Date.now() })
    return true
  }

  async replaceTombstone (name: string, before: Tombstone, deleted: Uint8Array): Promise<boolean> {
    if (this.tombstones.get(name) !== before) return false
    this.tombstones.set(name, { deleted, at: before.at })
    return true
  }

  async tombstone (name: string): Promise<Tombstone | undefined> {
    return this.tombstones.get(name)
  }

  async removeTombstones (before: number): Promise<number> {
    const old = [...this.tombstones].filter(([, { at }]) => at < before)
    for (const [name] of old) this.tombstones.delete(name)
    return old.length
  }

  async * list (): AsyncGenerator<DocumentInfo> {
    for (const [document, { snapshot, log, lastSeq, setAside }] of this.documents) {
      yield {
        document,
        snapshotBytes: snapshot?.bytes ?? 0,
        logBytes: 0,
        logEntries: log.length,
        lastSeq,
        setAside: setAside.length,
        createdAt: 0,
        updatedAt: 0,
      }
    }
  }

  async info (names: readonly string[]): Promise<DocumentInfo[]> {
    const infos: DocumentInfo[] = []
    for await (const info of this.list()) if (names.includes(info.document)) infos.push(info)
    return infos
  }

  async count (): Promise<number> { return this.documents.size }
  async ping (): Promise<void> {}
  async close (): Promise<void> {}

  /** Everything stored of a document, as updates in order. */
  updates (name: string): Uint8Array[] {
    const document = this.documents.get(name)
    return document === undefined ? [] : [...document.pieces, ...document.log.map(({ update }) => update)]
  }

  /** Whether all of this update is committed. */
  holds (name: string, update: Uint8Array): boolean {
    return (this.documents.get(name)?.known ?? new Known()).contains(scanUnchecked(update))
  }

  #document (name: string): Document {
    let document = this.documents.get(name)
    if (document === undefined) {
      document = {
        snapshot: undefined,
        pieces: [],
        setAside: [],
        log: [],
        base: this.#floor,
        lastSeq: this.#floor,
        authors: new Map(),
        known: new Known(),
      }
      this.documents.set(name, document)
    }
    return document
  }
}
