import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'

type Patch = readonly [position: number, deleted: number, inserted: string]

interface Transaction {
  readonly parents?: readonly number[]
  readonly agent?: number
  readonly patches: readonly Patch[]
}

interface Trace { readonly endContent: string, readonly numAgents?: number, readonly txns: readonly Transaction[] }

/** An editing history as updates, and its final text. */
export interface EditingHistory {
  /** In an order in which each finds what it depends on */
  readonly updates: ReadonlyArray<{ readonly agent: number, readonly update: Uint8Array }>
  readonly agents: number
  /** The text after the last one; for one author exactly as in the history, for several as Yjs merges it */
  readonly end: string
}

/** Root of the text in the documents of a history. */
export const textName = 'text'

/**
 * Every keystroke of one author, one update each: from the file in `Y_PROVIDER_TRACES`, or else an artificial one.
 * @param limit number of updates
 */
export async function oneAuthor (limit = Infinity): Promise<EditingHistory> {
  const trace = await read('automerge-paper.json.gz') ?? madeUp()
  const doc = new Y.Doc()
  const text = doc.getText(textName)
  const updates: Array<{ agent: number, update: Uint8Array }> = []
  doc.on('update', (update: Uint8Array) => { updates.push({ agent: 0, update }) })
  for (const { patches } of trace.txns.slice(0, limit)) apply(doc, text, patches)
  const end = text.toString()
  if (limit === Infinity && end !== trace.endContent) throw new Error('The history does not end as it says')
  return { updates, agents: 1, end }
}

/** Two people who typed at once: each edit is made on the state that its author saw. */
export async function twoAuthors (): Promise<EditingHistory> {
  const trace = await read('friendsforever.json.gz') ?? madeUpByTwo()
  const agents = trace.numAgents ?? 2
  const docs = Array.from({ length: agents }, () => new Y.Doc())
  const updates: Array<{ agent: number, update: Uint8Array }> = []
  const seen = docs.map(() => new Set<number>())
  for (const [agent, doc] of docs.entries()) {
    doc.on('update', (update: Uint8Array, origin: unknown) => { if (origin !== 'other') updates.push({ agent, update }) })
  }
  // One update for each transaction, even without a change, so that an index refers to both.
  const updateOf: Uint8Array[] = []
  for (const [index, { parents = [], agent = 0, patches }] of trace.txns.entries()) {
    const doc = docs[agent]!
    for (const parent of unseen(trace, parents, seen[agent]!)) Y.applyUpdate(doc, updateOf[parent]!, 'other')
    const before = updates.length
    apply(doc, doc.getText(textName), patches)
    updateOf[index] = updates.length > before ? updates[before]!.update : Uint8Array.of(0, 0)
    seen[agent]!.add(index)
  }
  const merged = new Y.Doc()
  for (const update of updateOf) Y.applyUpdate(merged, update)
  return { updates, agents, end: merged.getText(textName).toString() }
}

/** The updates that a transaction's author had seen and its document lacks, oldest first. */
function unseen (trace: Trace, parents: readonly number[], seen: Set<number>): number[] {
  const found: number[] = []
  const open = [...parents]
  while (open.length > 0) {
    const index = open.pop()!
    if (seen.has(index)) continue
    seen.add(index)
    found.push(index)
    open.push(...trace.txns[index]!.parents ?? [])
  }
  return found.sort((a, b) => a - b)
}

function apply (doc: Y.Doc, text: Y.Text, patches: readonly Patch[]): void {
  doc.transact(() => {
    for (const [position, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    }
  })
}

async function read (name: string): Promise<Trace | undefined> {
  const folder = process.env['Y_PROVIDER_TRACES']
  if (folder === undefined) return undefined
  // The collection's files all have this shape (README beside them).
  return JSON.parse(gunzipSync(await readFile(join(folder, name))).toString('utf8')) as Trace
}

/** A fixed sequence of numbers from 0 to `below`. */
function numbers (seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0
    return state % below
  }
}

/** A person who types words, goes back, deletes. */
function madeUp (): Trace {
  const next = numbers(7)
  const txns: Transaction[] = []
  let text = ''
  let cursor = 0
  for (let i = 0; i < 20_000; i++) {
    if (next(20) === 0) cursor = next(text.length + 1)
    const patch: Patch = next(4) === 0 && cursor > 0 ? [--cursor, 1, ''] : [cursor, 0, 'abcdefgh '[next(9)]!]
    text = text.slice(0, patch[0]) + patch[2] + text.slice(patch[0] + patch[1])
    if (patch[2] !== '') cursor++
    txns.push({ patches: [patch] })
  }
  return { endContent: text, txns }
}

/** Two people who see each other's work only now and then. */
function madeUpByTwo (): Trace {
  const next = numbers(11)
  const txns: Transaction[] = []
  const heads: number[][] = [[], []]
  for (let i = 0; i < 5000; i++) {
    const agent = next(2)
    if (next(10) === 0) heads[agent] = [...heads[agent]!, ...heads[1 - agent]!]
    txns.push({ parents: heads[agent]!, agent, patches: [[0, 0, 'xy '[next(3)]!]] })
    heads[agent] = [i]
  }
  return { endContent: '', txns }
}
