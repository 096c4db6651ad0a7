import type { Store } from '../../../src/store/store.ts'
import { collect } from './content.ts'

interface ModelDocument {
  firstSeq: number
  lastSeq: number
  log: { seq: number, update: Uint8Array }[]
  generation: number
  upTo: number
  pieces: Uint8Array[]
  aside: Uint8Array[]
}

/** The contract in its simplest form. */
export class Model {
  readonly documents = new Map<string, ModelDocument>()
  readonly highest = new Map<string, number>()

  append (entries: readonly { document: string, update: Uint8Array }[], seqs: readonly number[]): void {
    entries.forEach(({ document, update }, at) => {
      const seq = seqs[at] ?? 0
      let known = this.documents.get(document)
      if (!known) {
        known = { firstSeq: seq, lastSeq: 0, log: [], generation: 0, upTo: 0, pieces: [], aside: [] }
        this.documents.set(document, known)
      }
      if (seq <= (this.highest.get(document) ?? 0)) throw new Error(`${seq} was given out before`)
      known.lastSeq = seq
      this.highest.set(document, seq)
      known.log.push({ seq, update })
    })
  }

  compact (known: ModelDocument, upTo: number, pieces: Uint8Array[], aside: Uint8Array[], generation: number): void {
    if (generation <= known.generation) throw new Error('generations rise')
    known.log = known.log.filter(({ seq }) => seq > upTo)
    Object.assign(known, { upTo, pieces, aside: [...known.aside, ...aside], generation })
  }

  async compare (store: Store, where: string): Promise<void> {
    for (const document of ['a', 'b', 'ab']) {
      const known = this.documents.get(document)
      const stored = await store.load(document)
      if (!known || !stored) {
        if (known || stored) throw new Error(`${where}: ${document} ${stored ? 'exists' : 'does not exist'}`)
        continue
      }
      if (stored.lastSeq !== known.lastSeq) throw new Error(`${where}: last seq ${stored.lastSeq}, not ${known.lastSeq}`)
      if (stored.log.length !== known.log.length || !known.log.every(({ seq, update }, at) => stored.log[at]?.seq === seq && Buffer.compare(stored.log[at].update, update) === 0)) throw new Error(`${where}: the log differs`)
      if ((stored.snapshot?.generation ?? 0) !== known.generation || (stored.snapshot?.upTo ?? 0) !== known.upTo) throw new Error(`${where}: the head differs`)
      for (const [index, piece] of known.pieces.entries()) {
        const found = await store.readPiece(document, known.generation, index)
        if (!found || Buffer.compare(found, piece) !== 0) throw new Error(`${where}: piece ${index} differs`)
      }
      const aside = await store.setAside(document)
      if (aside.length !== known.aside.length || !known.aside.every((update, at) => aside[at] && Buffer.compare(aside[at].update, update) === 0)) throw new Error(`${where}: what is set aside differs`)
    }
    const infos = await collect(store.list())
    const documents = [...this.documents].sort(([a], [b]) => a < b ? -1 : 1)
    const expected = documents.map(([document, { log, pieces, lastSeq, aside }]) => {
      return [document, sum(log.map(({ update }) => update)), log.length, sum(pieces), lastSeq, aside.length]
    })
    const listed = infos.map(({
      document,
      logBytes,
      logEntries,
      snapshotBytes,
      lastSeq,
      setAside,
    }) => [document, logBytes, logEntries, snapshotBytes, lastSeq, setAside])
    if (JSON.stringify(listed) !== JSON.stringify(expected)) throw new Error(`${where}: the list has ${JSON.stringify(listed)}, not ${JSON.stringify(expected)}`)
  }
}

const sum = (parts: Uint8Array[]) => parts.reduce((total, { length }) => total + length, 0)
