import { longestAscending, matchSequences } from './sequence-diff.ts'
import type { TextFeatures } from './text-features.ts'

/** One of the siblings that are compared. */
export interface AlignedItem {
  /** If set, the item is only the one with the same pin on the other side. */
  readonly pin?: string | undefined
  /** Equal for equal items with all that is in them. */
  readonly deep: number
  /** Equal for items whose own content is equal. */
  readonly shallow: number
  /** Items of different ranks, such as a row and a cell, are never the same. */
  readonly rank: string
  /** Items of different kinds, such as a paragraph and a heading, are the same only if their texts are similar. */
  readonly kind: string
  readonly features: TextFeatures
}

/** Places on both sides, ascending, between the same neighbours. */
interface Gap { readonly old: readonly number[], readonly wanted: readonly number[] }

/** Items of each side that are all compared with each other. */
const windowLength = 32
/** The share of common words from which two texts are versions of one. */
const leastSimilarity = 0.3
/** The factor for items of different kinds. */
const otherKind = 0.9

/**
 * Finds out which siblings are the same before and after a change, in the order of both sides: first by pin, then by
 * equality of everything and of the own content, at last by similar texts, and alone among equals by place. Each step
 * works between the matches of those before. Linear in the number of items and the length of their texts.
 * @returns for each wanted item the index of the old one that it is, ascending; -1 for a new one
 */
export function align (old: readonly AlignedItem[], wanted: readonly AlignedItem[]): Int32Array {
  const from = new Int32Array(wanted.length).fill(-1)
  let gaps = matchPins(old, wanted, from)
  const by = (key: 'deep' | 'shallow') => (gap: Gap) => {
    const matches = matchSequences(gap.old.map((i) => old[i]![key]), gap.wanted.map((j) => wanted[j]![key]))
    matches.forEach((at, index) => { if (at >= 0) from[gap.wanted[index]!] = gap.old[at]! })
  }
  const steps = [
    by('deep'),
    by('shallow'),
    (gap: Gap) => matchRareWords(gap, old, wanted, from),
    (gap: Gap) => matchSimilar(gap, old, wanted, from),
    (gap: Gap) => matchPlaces(gap, old, wanted, from),
  ]
  for (const step of steps) {
    const rest: Gap[] = []
    for (const gap of gaps) {
      step(gap)
      divide(gap, from, rest)
    }
    gaps = rest
  }
  return from
}

/** @returns the gaps between pinned items, without these */
function matchPins (old: readonly AlignedItem[], wanted: readonly AlignedItem[], from: Int32Array): Gap[] {
  const places = new Map<string, number>()
  old.forEach(({ pin }, index) => { if (pin !== undefined) places.set(pin, index) })
  const pairs: Array<{ i: number, j: number }> = []
  wanted.forEach(({ pin }, j) => {
    const i = pin === undefined ? undefined : places.get(pin)
    if (i !== undefined) pairs.push({ i, j })
  })
  for (const index of longestAscending(pairs.map(({ i }) => i))) from[pairs[index]!.j] = pairs[index]!.i
  const gaps: Gap[] = []
  divide({ old: [...old.keys()], wanted: [...wanted.keys()] }, from, gaps)
  const isFree = ({ pin }: AlignedItem) => pin === undefined
  return gaps.map((gap) => ({
    old: gap.old.filter((i) => isFree(old[i]!)),
    wanted: gap.wanted.filter((j) => isFree(wanted[j]!)),
  })).filter((gap) => gap.old.length > 0 && gap.wanted.length > 0)
}

/** Divides a gap at its matches. */
function divide (gap: Gap, from: Int32Array, parts: Gap[]): void {
  let at = 0
  let free: number[] = []
  const end = (to: number) => {
    if (to > at && free.length > 0) parts.push({ old: gap.old.slice(at, to), wanted: free })
    free = []
  }
  for (const j of gap.wanted) {
    const match = from[j]!
    if (match < 0) {
      free.push(j)
      continue
    }
    let place = at
    while (gap.old[place] !== match) place++
    end(place)
    at = place + 1
  }
  end(gap.old.length)
}

/** Matches items of a large gap that share words which no other item of the gap has. */
function matchRareWords (
  gap: Gap,
  old: readonly AlignedItem[],
  wanted: readonly AlignedItem[],
  from: Int32Array
): void {
  if (gap.old.length <= windowLength && gap.wanted.length <= windowLength) return
  const holders = new Map<number, number>()
  gap.old.forEach((i, place) => {
    for (const word of old[i]!.features.words) holders.set(word, holders.has(word) ? -1 : place)
  })
  const candidates: Array<{ place: number, j: number }> = []
  for (const j of gap.wanted) {
    const votes = new Map<number, number>()
    for (const word of wanted[j]!.features.words) {
      const place = holders.get(word) ?? -1
      if (place >= 0) votes.set(place, (votes.get(place) ?? 0) + 1)
    }
    let [best, most] = [-1, 0]
    for (const [place, count] of votes) if (count > most) [best, most] = [place, count]
    const found = best < 0 ? undefined : old[gap.old[best]!]
    if (found !== undefined && similarity(found, wanted[j]!) >= leastSimilarity) candidates.push({ place: best, j })
  }
  for (const index of longestAscending(candidates.map(({ place }) => place))) {
    const { place, j } = candidates[index]!
    from[j] = gap.old[place]!
  }
}

/** Matches similar items, so that the sum of their similarities is largest. Large gaps are compared in windows. */
function matchSimilar (
  gap: Gap,
  old: readonly AlignedItem[],
  wanted: readonly AlignedItem[],
  from: Int32Array
): void {
  const windows = Math.ceil(Math.max(gap.old.length, gap.wanted.length) / windowLength)
  for (let window = 0; window < windows; window++) {
    const part = (places: readonly number[]) => places.slice(
      Math.floor(places.length * window / windows),
      Math.floor(places.length * (window + 1) / windows)
    )
    matchWindow(part(gap.old), part(gap.wanted), old, wanted, from)
  }
}

function matchWindow (
  rows: readonly number[],
  columns: readonly number[],
  old: readonly AlignedItem[],
  wanted: readonly AlignedItem[],
  from: Int32Array
): void {
  const width = columns.length + 1
  const similarities = new Float64Array((rows.length + 1) * width)
  const best = new Float64Array((rows.length + 1) * width)
  for (let i = rows.length - 1; i >= 0; i--) {
    for (let j = columns.length - 1; j >= 0; j--) {
      const found = similarity(old[rows[i]!]!, wanted[columns[j]!]!)
      const at = i * width + j
      similarities[at] = found
      const matched = found < leastSimilarity ? 0 : found + best[at + width + 1]!
      best[at] = Math.max(matched, best[at + width]!, best[at + 1]!)
    }
  }
  for (let i = 0, j = 0; i < rows.length && j < columns.length;) {
    const at = i * width + j
    if (best[at] === best[at + width]) i++
    else if (best[at] === best[at + 1]) j++
    else from[columns[j++]!] = rows[i++]!
  }
}

function similarity (a: AlignedItem, b: AlignedItem): number {
  if (a.rank !== b.rank) return 0
  return a.features.similarTo(b.features) * (a.kind === b.kind ? 1 : otherKind)
}

/** Matches items of one kind in a gap with as many on both sides: their content was written anew. */
function matchPlaces (
  gap: Gap,
  old: readonly AlignedItem[],
  wanted: readonly AlignedItem[],
  from: Int32Array
): void {
  if (gap.old.length !== gap.wanted.length) return
  gap.wanted.forEach((j, index) => {
    const i = gap.old[index]!
    if (old[i]!.rank === wanted[j]!.rank && old[i]!.kind === wanted[j]!.kind) from[j] = i
  })
}
