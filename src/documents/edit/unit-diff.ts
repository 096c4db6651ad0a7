import { matchSequences } from './sequence-diff.ts'
import type { Inserted, Units } from './units.ts'

/** Units that stay: `length` of them, from a place in the old line and in the new one. */
export interface Stretch { readonly a: number, readonly b: number, readonly length: number }

/** Compares two elements or objects by these keys. */
export type KeyOf = (inserted: Inserted) => string

/**
 * Words, one at a time; characters of scripts without blanks between words, and everything else, one by one. Without
 * groups that can repeat in more than one way, so the time is linear.
 */
const words = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|(?:[^\P{L}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|[\p{M}\p{N}_])+|[^]/gu

/**
 * Finds the units of a line that stay in a new one: whole words first, then the letters that changed words begin and
 * end with. A stretch that is shorter than the changes on both of its sides does not stay, so that a text that was
 * written anew is not patched together from chance words. Never cuts a surrogate pair.
 * @returns in ascending order, none empty
 */
export function matchUnits (a: Units, b: Units, keyOf: KeyOf): Stretch[] {
  const prefix = commonPrefix(a, b, keyOf)
  const suffix = commonSuffix(a, b, prefix, keyOf)
  const stretches: Stretch[] = []
  if (prefix > 0) stretches.push({ a: 0, b: 0, length: prefix })
  const [aTo, bTo] = [a.length - suffix, b.length - suffix]
  if (aTo > prefix && bTo > prefix) matchWords(a, b, prefix, aTo, bTo, keyOf, stretches)
  if (suffix > 0) stretches.push({ a: aTo, b: bTo, length: suffix })
  return withoutChance(join(stretches), a, b)
}

function commonPrefix (a: Units, b: Units, keyOf: KeyOf): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && sameUnit(a, length, b, length, keyOf)) length++
  return cutsPair(a, length) || cutsPair(b, length) ? length - 1 : length
}

function commonSuffix (a: Units, b: Units, prefix: number, keyOf: KeyOf): number {
  const most = Math.min(a.length, b.length) - prefix
  let length = 0
  while (length < most && sameUnit(a, a.length - length - 1, b, b.length - length - 1, keyOf)) length++
  return cutsPair(a, a.length - length) || cutsPair(b, b.length - length) ? length - 1 : length
}

function sameUnit (a: Units, i: number, b: Units, j: number, keyOf: KeyOf): boolean {
  if (a.text.charCodeAt(i) !== b.text.charCodeAt(j)) return false
  if (!a.hasInserted && !b.hasInserted) return true
  const [inA, inB] = [a.insertedAt(i), b.insertedAt(j)]
  return inA === undefined || inB === undefined ? inA === inB : keyOf(inA) === keyOf(inB)
}

/** Whether a place lies within a surrogate pair. */
function cutsPair ({ text }: Units, place: number): boolean {
  if (place <= 0 || place >= text.length) return false
  return (text.charCodeAt(place - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(place) & 0xfc00) === 0xdc00
}

/** Compares the words between the equal ends. Appends what stays. */
function matchWords (a: Units, b: Units, from: number, aTo: number, bTo: number, keyOf: KeyOf, found: Stretch[]): void {
  const numbers = new Map<string, number>()
  const inA = wordsOf(a, from, aTo, keyOf, numbers)
  const inB = wordsOf(b, from, bTo, keyOf, numbers)
  const matches = matchSequences(inA.keys, inB.keys)
  let last = { a: from, b: from }
  matches.forEach((i, j) => {
    if (i < 0) return
    const [start, end] = [inA.starts[i]!, inA.starts[i + 1]!]
    const at = inB.starts[j]!
    matchLetters(a, b, last.a, start, last.b, at, found)
    found.push({ a: start, b: at, length: end - start })
    last = { a: end, b: at + end - start }
  })
  matchLetters(a, b, last.a, aTo, last.b, bTo, found)
}

/** The places at which words begin, with the end, and a number for each word. */
function wordsOf (
  units: Units,
  from: number,
  to: number,
  keyOf: KeyOf,
  numbers: Map<string, number>
): { starts: number[], keys: number[] } {
  const starts: number[] = []
  const keys: number[] = []
  let start = from
  for (const [word] of units.text.slice(from, to).matchAll(words)) {
    const inserted = units.hasInserted ? units.insertedAt(start) : undefined
    const key = inserted === undefined ? word : `\n${keyOf(inserted)}`
    let number = numbers.get(key)
    if (number === undefined) numbers.set(key, number = numbers.size)
    starts.push(start)
    keys.push(number)
    start += word.length
  }
  starts.push(to)
  return { starts, keys }
}

/** Compares changed words letter by letter from both ends. */
function matchLetters (
  a: Units,
  b: Units,
  aFrom: number,
  aTo: number,
  bFrom: number,
  bTo: number,
  found: Stretch[]
): void {
  if (aFrom === aTo || bFrom === bTo) return
  const isSame = (i: number, j: number) => a.text.charCodeAt(i) === b.text.charCodeAt(j) &&
    a.insertedAt(i) === undefined && b.insertedAt(j) === undefined
  const most = Math.min(aTo - aFrom, bTo - bFrom)
  let prefix = 0
  while (prefix < most && isSame(aFrom + prefix, bFrom + prefix)) prefix++
  if (cutsPair(a, aFrom + prefix) || cutsPair(b, bFrom + prefix)) prefix--
  let suffix = 0
  while (suffix < most - prefix && isSame(aTo - suffix - 1, bTo - suffix - 1)) suffix++
  if (cutsPair(a, aTo - suffix) || cutsPair(b, bTo - suffix)) suffix--
  if (prefix > 0) found.push({ a: aFrom, b: bFrom, length: prefix })
  if (suffix > 0) found.push({ a: aTo - suffix, b: bTo - suffix, length: suffix })
}

/** Joins stretches that follow each other on both sides. */
function join (stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = []
  for (const stretch of stretches) {
    const last = joined.at(-1)
    const goesOn = last !== undefined && last.a + last.length === stretch.a && last.b + last.length === stretch.b
    if (goesOn) joined[joined.length - 1] = { ...last, length: last.length + stretch.length }
    else joined.push(stretch)
  }
  return joined
}

/** Leaves out stretches of characters that are no longer than what changes before and after them. */
function withoutChance (stretches: readonly Stretch[], a: Units, b: Units): Stretch[] {
  const kept: Stretch[] = []
  let end = { a: 0, b: 0 }
  stretches.forEach((stretch, index) => {
    const next = stretches[index + 1] ?? { a: a.length, b: b.length }
    const before = Math.max(stretch.a - end.a, stretch.b - end.b)
    const after = Math.max(next.a - stretch.a, next.b - stretch.b) - stretch.length
    const isChance = stretch.length <= before && stretch.length <= after
    if (isChance && !holdsInserted(a, stretch)) return
    kept.push(stretch)
    end = { a: stretch.a + stretch.length, b: stretch.b + stretch.length }
  })
  return kept
}

function holdsInserted (units: Units, { a, length }: Stretch): boolean {
  if (!units.hasInserted) return false
  for (let i = a; i < a + length; i++) if (units.insertedAt(i) !== undefined) return true
  return false
}
