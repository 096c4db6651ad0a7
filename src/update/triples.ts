/** Numbers of one range: client, start, end (exclusive). */
export const stride = 3

/**
 * Ranges of clocks in order, flat: client, start, end, … A typed array comes from another thread and is copied before
 * it is changed.
 */
export type Triples = number[] | Float64Array

/** Whether the range at `i` ends at or after the clock, or belongs to a client after this one. */
export function reaches (triples: Triples, i: number, client: number, clock: number): boolean {
  return triples[i]! < client || (triples[i] === client && triples[i + 2]! >= clock)
}

/** Offset of the first range in the triples that `reaches`; the last one always does. */
export function firstReaching (triples: Triples, client: number, clock: number): number {
  let low = 0
  let high = triples.length / stride - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reaches(triples, middle * stride, client, clock)) high = middle
    else low = middle + 1
  }
  return low * stride
}

/** Whether the range at `i` begins behind a client's clock. */
export function isBehind (triples: Triples, i: number, client: number, clock: number): boolean {
  return triples[i]! < client || (triples[i] === client && triples[i + 1]! > clock)
}

/** Whether all ranges of the triples end before a client's clock. */
export function endsBefore (triples: Triples, client: number, clock: number): boolean {
  const last = triples[triples.length - stride]!
  return last > client || (last === client && triples[triples.length - 1]! < clock)
}

/** Adds a range that begins no earlier than the last one. */
function append (triples: number[], client: number, start: number, end: number): void {
  const last = triples.length - 1
  if (last < 0 || triples[last - 2] !== client || triples[last]! < start) triples.push(client, start, end)
  else if (triples[last]! < end) triples[last] = end
}

/** The union of one array's ranges with those of another from one offset to another. */
export function mergeInOrder (ours: Triples, theirs: Triples, from: number, to: number): number[] {
  const merged: number[] = []
  let i = 0
  for (let j = from; j < to; j += stride) {
    const client = theirs[j]!
    const start = theirs[j + 1]!
    for (; i < ours.length && !isBehind(ours, i, client, start); i += stride) {
      append(merged, ours[i]!, ours[i + 1]!, ours[i + 2]!)
    }
    append(merged, client, start, theirs[j + 2]!)
  }
  for (; i < ours.length; i += stride) append(merged, ours[i]!, ours[i + 1]!, ours[i + 2]!)
  return merged
}
