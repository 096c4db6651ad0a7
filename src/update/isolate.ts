import { DeleteSet } from './delete-set.ts'
import { findFlawedClocks } from './flawed-clocks.ts'
import { Known } from './known.ts'
import { MalformedUpdate } from './malformed-update.ts'
import { mergeRuns } from './merge-updates.ts'
import { holdsAny, unsoundClocks } from './places.ts'
import { type ScannedUpdate, scanUnchecked, scanUpdate } from './scan-update.ts'
import { fill, halves, withoutClocks } from './struct-removal.ts'

/** An update that was left out of a document, all or in part, because Yjs cannot apply it. */
export interface SetAside {
  /** Its index among the given updates. */
  readonly index: number
  /** Its original bytes. */
  readonly update: Uint8Array
  /** What is wrong with it, without its content. */
  readonly reason: string
}

/** The part of a document that Yjs can apply. */
interface Isolated<State> {
  /** All that can be applied, with collected structs in place of the rest. */
  readonly merged: ScannedUpdate
  /** The result of `build`. */
  readonly state: State
  /** In the order of their indices. */
  readonly setAside: readonly SetAside[]
}

/**
 * The most builds of the whole document. Finding one bad struct among 10,000 updates of 1,000 structs takes about 50,
 * so this many find several; what they cannot tell apart is set aside together.
 */
const maxBuilds = 200

/**
 * Leaves out of a document only what Yjs cannot apply: first the structs that break a rule, in one pass over the bytes;
 * then, if Yjs still throws, the structs that make it throw, found by halving in at most 200 builds, however many there
 * are. Clocks left out that no other update holds are filled with collected structs, so that later structs of the same
 * client do not wait forever.
 * @param build returns null if Yjs throws
 * @throws MalformedUpdate for an update that does not decode
 */
export function isolate<State> (
  updates: readonly Uint8Array[],
  build: (update: ScannedUpdate) => State | null
): Isolated<State> {
  const isolation = new Isolation(updates, build)
  return isolation.byRules() ?? isolation.byHalving()
}

/** An update or, after it was divided, a part of it. */
interface Part { readonly index: number, readonly scan: ScannedUpdate }

class Isolation<State> {
  readonly #updates: readonly Uint8Array[]
  readonly #build: (update: ScannedUpdate) => State | null
  readonly #reasons = new Map<number, string>()
  /** Their clocks are filled unless other updates hold them. */
  #leftOut: ScannedUpdate[] = []
  #builds = 0

  constructor (updates: readonly Uint8Array[], build: (update: ScannedUpdate) => State | null) {
    this.#updates = updates
    this.#build = build
  }

  byRules (): Isolated<State> | null {
    return this.#buildFilled(this.#mergeSound())
  }

  byHalving (): Isolated<State> {
    const result = this.#buildFilled(this.#fill(this.#sift([], this.#sound().parts)))
    if (result === null) throw new Error('A document could not be built from the updates that had been found good')
    return result
  }

  /** Keeps no parts: those of 100,000 clients would take as much memory as the document that is built next. */
  #mergeSound (): ScannedUpdate {
    const { parts, merged } = this.#sound()
    return this.#fill(parts, merged)
  }

  /** The updates without the structs that break a rule. */
  #sound (): { parts: readonly Part[], merged: ScannedUpdate } {
    this.#leftOut = []
    const parts = this.#updates.map((update, index) => this.#read(update, index))
    const merged = merge(parts)
    const unsound = unsoundClocks(merged)
    if (unsound.isEmpty) return { parts, merged }
    const reason = 'Its structs cannot stay where they are placed.'
    const sound = parts.map((part) => holdsAny(part.scan, unsound) ? this.#without(part, unsound, reason) : part)
    return { parts: sound, merged: merge(sound) }
  }

  #read (update: Uint8Array, index: number): Part {
    try {
      return { index, scan: scanUpdate(update) }
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
      const part = { index, scan: scanUnchecked(update) }
      // Merging repairs its deletions and its sections, so only structs have to be left out.
      this.#reasons.set(index, error.message)
      const flaws = findFlawedClocks(part.scan)
      return flaws === null ? part : this.#without(part, flaws.clocks, flaws.reason)
    }
  }

  #without (part: Part, clocks: DeleteSet, reason: string): Part {
    this.#reasons.set(part.index, reason)
    this.#leftOut.push(part.scan)
    return { index: part.index, scan: withoutClocks(part.scan, clocks) }
  }

  /** @returns the good parts, and the parts of the group that can be applied with them */
  #sift (good: readonly Part[], group: readonly Part[]): readonly Part[] {
    if (group.length === 0) return good
    if (this.#builds >= maxBuilds) return this.#blame(good, group)
    const all = [...good, ...group]
    if (this.#canBuild(all)) return all
    if (group.length > 1) {
      const middle = group.length >> 1
      return this.#sift(this.#sift(good, group.slice(0, middle)), group.slice(middle))
    }
    return this.#judge(good, group[0]!)
  }

  /** Yjs throws with this part. If an earlier part waits for this one, that one can be the cause. */
  #judge (good: readonly Part[], part: Part): readonly Part[] {
    const known = new Known()
    for (const { scan } of good) known.add(scan)
    const waiting = good.filter(({ scan }) => known.missing(scan))
    if (waiting.length > 0) {
      const settled = good.filter((other) => !waiting.includes(other))
      if (this.#canBuild([...settled, part])) return this.#sift([...settled, part], waiting)
    }
    const smaller = halves(part.scan)
    if (smaller.length < 2) return this.#blame(good, [part])
    return this.#sift(good, smaller.map((scan) => ({ index: part.index, scan })))
  }

  #blame (good: readonly Part[], group: readonly Part[]): readonly Part[] {
    for (const { index, scan } of group) {
      if (!this.#reasons.has(index)) this.#reasons.set(index, 'Yjs throws when it is applied.')
      this.#leftOut.push(scan)
    }
    return good
  }

  #canBuild (parts: readonly Part[]): boolean {
    this.#builds++
    return this.#build(merge(parts)) !== null
  }

  #fill (parts: readonly Part[], merged = merge(parts)): ScannedUpdate {
    if (this.#leftOut.length === 0) return merged
    return merge([...parts, { index: -1, scan: fill(this.#leftOut, merged) }])
  }

  #buildFilled (merged: ScannedUpdate): Isolated<State> | null {
    const state = this.#build(merged)
    if (state === null) return null
    const setAside = [...this.#reasons]
      .sort(([a], [b]) => a - b)
      .map(([index, reason]) => ({ index, update: this.#updates[index]!, reason }))
    return { merged, state, setAside }
  }
}

function merge (parts: readonly Part[]): ScannedUpdate {
  const scans = parts.map(({ scan }) => scan)
  return scanUnchecked(mergeRuns(scans, () => true, DeleteSet.union(scans.map(({ deleteSet }) => deleteSet))))
}
