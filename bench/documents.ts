import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'
import { scanUpdate } from './load/scan.ts'

/** Increase when a recipe below changes: the cache is stored by name. */
const recipe = 2
const cache = join(tmpdir(), 'y-provider-bench-documents')
const trace = 'automerge-paper.json.gz'
const syntheticEdits = 259_778

/** A document to upload to a server. */
export interface SampleDocument {
  /** Yjs updates (format 1) that produce it, in causal order, each small enough for one frame */
  updates: Uint8Array[]
  /** client id → the clock at which a reader has all its content */
  clocks: Map<number, number>
  /** total of the updates in bytes */
  bytes: number
}

/** A text of 100 KB after 260,000 keystrokes, as one update: the one in `traces`, or an artificial one of its size. */
export async function openEditedDocument (traces: string | undefined): Promise<SampleDocument> {
  const file = traces === undefined ? undefined : join(traces, trace)
  if (file !== undefined && !existsSync(file)) throw new Error(`There is no ${trace} in the folder given as --traces.`)
  return await cached(file === undefined ? 'edited-synthetic' : 'edited-paper', async () => {
    const edits = file === undefined ? inventEdits(syntheticEdits) : await readEdits(file)
    const doc = newDoc(1_234_567_890)
    const text = doc.getText('text')
    for (const [at, removed, inserted] of edits) {
      if (removed > 0) text.delete(at, removed)
      if (inserted !== '') text.insert(at, inserted)
    }
    return [Y.encodeStateAsUpdate(doc)]
  })
}

/** A document with a state of 102 KiB, typed in short bursts all over the text; one edit in five is a deletion. */
export async function openOrdinaryDocument (): Promise<SampleDocument> {
  return await cached('ordinary-102k', async () => {
    const random = newRandom(7)
    const doc = newDoc(2_234_567_890)
    const text = doc.getText('text')
    for (let size = 0; size < 102 * 1024; size = Y.encodeStateAsUpdate(doc).length) {
      doc.transact(() => {
        for (let edit = 0; edit < 50; edit++) editBurst(text, random, 1 + Math.floor(random() * 7))
      })
    }
    return [Y.encodeStateAsUpdate(doc)]
  })
}

/** A 20 MB document: a hundred thousand paragraphs inserted at random places, as updates of about 200 KB each. */
export async function openLargeDocument (quick: boolean): Promise<SampleDocument> {
  const wanted = (quick ? 4 : 20) * 1_000_000
  return await cached(`large-${wanted}`, async () => {
    const random = newRandom(11)
    const doc = newDoc(3_234_567_000)
    const text = doc.getText('text')
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => { updates.push(update) })
    while (text.length < wanted) {
      doc.transact(() => {
        for (let paragraph = 0; paragraph < 1000; paragraph++) {
          text.insert(Math.floor(random() * (text.length + 1)), words(random, 190))
        }
      })
    }
    return updates
  })
}

function newDoc (clientID: number): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = clientID
  return doc
}

/** [position, characters removed, text inserted] */
type Edit = [number, number, string]

async function readEdits (file: string): Promise<Edit[]> {
  // The collection's documented shape: https://github.com/josephg/editing-traces
  const { txns } = JSON.parse(gunzipSync(await readFile(file)).toString()) as { txns: Array<{ patches: Edit[] }> }
  return txns.flatMap(({ patches }) => patches)
}

/** Typing and deleting one character at a time, mostly at the last edit: seven inserts to three deletions. */
function inventEdits (count: number): Edit[] {
  const random = newRandom(3)
  const edits: Edit[] = []
  let length = 0
  let at = 0
  while (edits.length < count) {
    if (random() < 0.02) at = Math.floor(random() * (length + 1))
    const deletes = random() < 0.3 ? 1 + Math.floor(random() * 8) : 0
    for (let each = 0; each < deletes && at > 0; each++) { edits.push([--at, 1, '']); length-- }
    const types = 1 + Math.floor(random() * 12)
    for (let each = 0; each < types; each++) { edits.push([at++, 0, letter(random)]); length++ }
  }
  return edits.slice(0, count)
}

function editBurst (text: Y.Text, random: () => number, length: number): void {
  const at = Math.floor(random() * (text.length + 1))
  if (random() < 0.2 && text.length > at + length) text.delete(at, length)
  else text.insert(at, words(random, length))
}

const letter = (random: () => number) => String.fromCharCode(97 + Math.floor(random() * 26))

const words = (random: () => number, length: number) => Array.from({ length }, () => random() < 0.16 ? ' ' : letter(random)).join('')

/** Numbers from 0 to 1, the same for each seed (mulberry32). */
function newRandom (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Caches what takes seconds to build in the temporary folder: the lengths of the updates, then their bytes. */
async function cached (name: string, build: () => Promise<Uint8Array[]>): Promise<SampleDocument> {
  const file = join(cache, `${name}-${recipe}.bin`)
  if (!existsSync(file)) {
    const updates = await build()
    const lengths = Buffer.from(JSON.stringify(updates.map(({ length }) => length)) + '\n')
    await mkdir(cache, { recursive: true })
    await writeFile(`${file}.${process.pid}`, Buffer.concat([lengths, ...updates]))
    await rename(`${file}.${process.pid}`, file)
  }
  const content = await readFile(file)
  const body = content.indexOf('\n') + 1
  // Written just above, or by an earlier run of the same recipe.
  const lengths = JSON.parse(content.toString('latin1', 0, body)) as number[]
  let at = body
  const updates = lengths.map((length) => {
    at += length
    return content.subarray(at - length, at)
  })
  const clocks = new Map<number, number>()
  for (const update of updates) {
    const { clients, ends } = scanUpdate(update)
    clients.forEach((client, entry) => clocks.set(client, ends[entry] ?? 0))
  }
  return { updates, clocks, bytes: content.length - body }
}
