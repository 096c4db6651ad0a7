/** Differences that are searched exactly in a long range, and in a piece of one. */
const maxDistance = 128
/** Items of each side in one piece of a range that has too many differences. */
const pieceLength = 128
/** How often a range is divided at items that occur once on each side. */
const maxDivisions = 8

/** A part of both sequences that is still to be compared. */
interface Range { aFrom: number, aTo: number, bFrom: number, bTo: number, divisions: number }

/**
 * Finds a long common subsequence of two sequences of numbers. It is a longest one where few items differ (Myers);
 * beyond that, items that occur once on each side divide the sequences (patience), and what cannot be divided is
 * compared piece by piece, so that the time grows with the length alone.
 * @returns for each item of `b` the index in `a` of the item that it equals, ascending; -1 if there is none
 */
export function matchSequences (a: ArrayLike<number>, b: ArrayLike<number>): Int32Array {
  const matches = new Int32Array(b.length).fill(-1)
  const whole = { aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length, divisions: 0 }
  trim(a, b, whole, matches)
  matchCommon(a, b, whole, matches, matchRanges)
  return matches
}

/** Compares only the items that occur on both sides of a range, as all others are in the way. */
function matchCommon (
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { aFrom, aTo, bFrom, bTo }: Range,
  matches: Int32Array,
  match: (a: ArrayLike<number>, b: ArrayLike<number>) => Int32Array
): void {
  const inA = commonPlaces(a, aFrom, aTo, b, bFrom, bTo)
  if (inA.length === 0) return
  const inB = commonPlaces(b, bFrom, bTo, a, aFrom, aTo)
  match(inA.map((i) => a[i]!), inB.map((j) => b[j]!)).forEach((i, j) => {
    if (i >= 0) matches[inB[j]!] = inA[i]!
  })
}

function commonPlaces (
  items: ArrayLike<number>,
  from: number,
  to: number,
  others: ArrayLike<number>,
  otherFrom: number,
  otherTo: number
): number[] {
  const known = new Set<number>()
  for (let i = otherFrom; i < otherTo; i++) known.add(others[i]!)
  const places: number[] = []
  for (let i = from; i < to; i++) if (known.has(items[i]!)) places.push(i)
  return places
}

function matchRanges (a: ArrayLike<number>, b: ArrayLike<number>): Int32Array {
  const matches = new Int32Array(b.length).fill(-1)
  const ranges: Range[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length, divisions: 0 }]
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    trim(a, b, range, matches)
    const { aFrom, aTo, bFrom, bTo } = range
    if (aFrom === aTo || bFrom === bTo) continue
    if (matchFew(a, b, range, matches)) continue
    const parts = range.divisions < maxDivisions ? divide(a, b, range, matches) : []
    if (parts.length > 0) for (const part of parts) ranges.push(part)
    else matchPieces(a, b, range, matches)
  }
  return matches
}

/** Matches equal items at both ends of a range, and shortens it. */
function trim (a: ArrayLike<number>, b: ArrayLike<number>, range: Range, matches: Int32Array): void {
  while (range.aFrom < range.aTo && range.bFrom < range.bTo && a[range.aFrom] === b[range.bFrom]) {
    matches[range.bFrom++] = range.aFrom++
  }
  while (range.aFrom < range.aTo && range.bFrom < range.bTo && a[range.aTo - 1] === b[range.bTo - 1]) {
    matches[--range.bTo] = --range.aTo
  }
}

/**
 * Myers' algorithm, which remembers how far it came with each number of differences.
 * @returns false if there are too many differences; nothing is matched then
 */
function matchFew (a: ArrayLike<number>, b: ArrayLike<number>, range: Range, matches: Int32Array): boolean {
  const { aFrom, bFrom } = range
  const n = range.aTo - aFrom
  const m = range.bTo - bFrom
  // A difference in length alone needs as many.
  if (Math.abs(n - m) > 2 * maxDistance) return false
  const most = Math.min(2 * maxDistance, n + m)
  const middle = most + 1
  const reach = new Int32Array(2 * most + 3)
  const trace: Int32Array[] = []
  for (let distance = 0; distance <= most; distance++) {
    trace.push(reach.slice(middle - distance, middle + distance + 1))
    for (let k = -distance; k <= distance; k += 2) {
      const goesDown = k === -distance || (k !== distance && reach[middle + k - 1]! < reach[middle + k + 1]!)
      let x = goesDown ? reach[middle + k + 1]! : reach[middle + k - 1]! + 1
      let y = x - k
      while (x < n && y < m && a[aFrom + x] === b[bFrom + y]) {
        x++
        y++
      }
      reach[middle + k] = x
      if (x >= n && y >= m) {
        goBack(trace, n, m, range, matches)
        return true
      }
    }
  }
  return false
}

/** Follows the remembered ways back to the start. */
function goBack (trace: readonly Int32Array[], n: number, m: number, range: Range, matches: Int32Array): void {
  let x = n
  let y = m
  for (let distance = trace.length - 1; distance > 0; distance--) {
    const reach = trace[distance]!
    const k = x - y
    const at = (diagonal: number): number => reach[distance + diagonal] ?? 0
    const goesDown = k === -distance || (k !== distance && at(k - 1) < at(k + 1))
    const before = goesDown ? k + 1 : k - 1
    const beforeX = at(before)
    const beforeY = beforeX - before
    while (x > beforeX && y > beforeY) matches[range.bFrom + --y] = range.aFrom + --x
    x = beforeX
    y = beforeY
  }
  while (x > 0 && y > 0) matches[range.bFrom + --y] = range.aFrom + --x
}

/** Matches the items that occur once on each side, as many as are in the same order. @returns the ranges between */
function divide (a: ArrayLike<number>, b: ArrayLike<number>, range: Range, matches: Int32Array): Range[] {
  const { aFrom, aTo, bFrom, bTo } = range
  const placesInA = uniquePlaces(a, aFrom, aTo)
  const placesInB = uniquePlaces(b, bFrom, bTo)
  const inA: number[] = []
  const inB: number[] = []
  for (const [item, place] of placesInB) {
    const other = placesInA.get(item) ?? -1
    if (place < 0 || other < 0) continue
    inA.push(other)
    inB.push(place)
  }
  const parts: Range[] = []
  let last = { a: aFrom, b: bFrom }
  const add = (aEnd: number, bEnd: number): void => {
    if (aEnd > last.a && bEnd > last.b) {
      parts.push({ aFrom: last.a, aTo: aEnd, bFrom: last.b, bTo: bEnd, divisions: range.divisions + 1 })
    }
  }
  const chain = longestAscending(inA)
  for (const index of chain) {
    const [i, j] = [inA[index]!, inB[index]!]
    matches[j] = i
    add(i, j)
    last = { a: i + 1, b: j + 1 }
  }
  if (chain.length === 0) return []
  add(aTo, bTo)
  // Without a part nothing else is left to compare, which an empty one says.
  return parts.length > 0 ? parts : [{ aFrom, aTo: aFrom, bFrom, bTo: bFrom, divisions: 0 }]
}

/** The place of each item in the order of first occurrence; -1 for one that occurs again. */
function uniquePlaces (items: ArrayLike<number>, from: number, to: number): Map<number, number> {
  const places = new Map<number, number>()
  for (let i = from; i < to; i++) {
    const item = items[i]!
    places.set(item, places.has(item) ? -1 : i)
  }
  return places
}

/** Compares pieces at the same relative place. */
function matchPieces (a: ArrayLike<number>, b: ArrayLike<number>, range: Range, matches: Int32Array): void {
  const { aFrom, aTo, bFrom, bTo } = range
  const pieces = Math.ceil(Math.max(aTo - aFrom, bTo - bFrom) / pieceLength)
  const cut = (from: number, to: number, piece: number) => from + Math.floor((to - from) * piece / pieces)
  for (let piece = 0; piece < pieces; piece++) {
    const part = {
      aFrom: cut(aFrom, aTo, piece),
      aTo: cut(aFrom, aTo, piece + 1),
      bFrom: cut(bFrom, bTo, piece),
      bTo: cut(bFrom, bTo, piece + 1),
      divisions: maxDivisions,
    }
    trim(a, b, part, matches)
    matchCommon(a, b, part, matches, matchFewOf)
  }
}

function matchFewOf (a: ArrayLike<number>, b: ArrayLike<number>): Int32Array {
  const matches = new Int32Array(b.length).fill(-1)
  matchFew(a, b, { aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length, divisions: 0 }, matches)
  return matches
}

/**
 * The longest strictly ascending subsequence.
 * @returns the indices of its members
 */
export function longestAscending (values: ArrayLike<number>): number[] {
  // The index of the smallest value that ends a chain of each length, and each value's predecessor.
  const ends: number[] = []
  const before = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (values[ends[middle]!]! < value) low = middle + 1
      else high = middle
    }
    before[i] = low === 0 ? -1 : ends[low - 1]!
    ends[low] = i
  }
  const chain: number[] = []
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i]!) chain.push(i)
  return chain.reverse()
}
