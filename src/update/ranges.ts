/** Ranges of clocks, flat: start, end (exclusive), start, end, … Ascending, with a gap between neighbours. Half the memory of an object for each. */
export type Ranges = number[]

/** Index (even) of the first range that ends at or after `clock`; the length when there is none. */
export function firstEndingFrom (ranges: readonly number[], clock: number, from = 0): number {
  let low = from / 2
  let high = ranges.length / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges[middle * 2 + 1]! < clock) low = middle + 1
    else high = middle
  }
  return low * 2
}

/** Adds `[start, end)` in place, joining what it touches. Cheap at the end, where most additions are. */
export function addRange (ranges: Ranges, start: number, end: number): void {
  const length = ranges.length
  if (length === 0 || ranges[length - 1]! < start) {
    ranges.push(start, end)
    return
  }
  const first = firstEndingFrom(ranges, start)
  if (ranges[first]! > end) {
    ranges.splice(first, 0, start, end)
    return
  }
  ranges[first] = Math.min(ranges[first]!, start)
  let last = first
  while (last + 2 < length && ranges[last + 2]! <= end) last += 2
  ranges[first + 1] = Math.max(ranges[last + 1]!, end)
  if (last > first) ranges.splice(first + 2, last - first)
}

export function containsRange (ranges: readonly number[], start: number, end: number): boolean {
  const index = firstEndingFrom(ranges, end)
  return index < ranges.length && ranges[index]! <= start
}

/** Does `ours` cover all of `theirs`? */
export function containsRanges (ours: readonly number[], theirs: readonly number[]): boolean {
  let at = 0
  for (let i = 0; i < theirs.length; i += 2) {
    // Usually the next one along; only a far one is searched for.
    if (at < ours.length && ours[at + 1]! < theirs[i + 1]!) {
      at += 2
      if (at < ours.length && ours[at + 1]! < theirs[i + 1]!) at = firstEndingFrom(ours, theirs[i + 1]!, at)
    }
    if (at >= ours.length || ours[at]! > theirs[i]!) return false
  }
  return true
}

/** Brings pairs in any order, which may overlap, into shape. Returns the same array when it is in shape already. */
export function normalize (pairs: Ranges): Ranges {
  for (let i = 2; i < pairs.length; i += 2) {
    if (pairs[i]! <= pairs[i - 1]!) return sorted(pairs)
  }
  return pairs
}

function sorted (pairs: Ranges): Ranges {
  const starts = Array.from({ length: pairs.length / 2 }, (_, i) => i * 2).sort((a, b) => pairs[a]! - pairs[b]!)
  const result: Ranges = []
  for (const i of starts) append(result, pairs[i]!, pairs[i + 1]!)
  return result
}

/** Adds a range that starts no earlier than the last one. */
function append (ranges: Ranges, start: number, end: number): void {
  const last = ranges.length - 1
  if (last < 0 || ranges[last]! < start) ranges.push(start, end)
  else if (ranges[last]! < end) ranges[last] = end
}

/** One list of ranges that covers all of these; merges in pairs, so each range is looked at log₂(lists) times. Leaves them as they are. */
export function unite (lists: readonly Ranges[]): Ranges {
  if (lists.length === 1) return lists[0]!.slice()
  if (lists.length === 2) return uniteTwo(lists[0]!, lists[1]!)
  const middle = lists.length >>> 1
  return uniteTwo(unite(lists.slice(0, middle)), unite(lists.slice(middle)))
}

function uniteTwo (a: Ranges, b: Ranges): Ranges {
  const result: Ranges = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && a[i]! <= b[j]!)) {
      append(result, a[i]!, a[i + 1]!)
      i += 2
    } else {
      append(result, b[j]!, b[j + 1]!)
      j += 2
    }
  }
  return result
}
