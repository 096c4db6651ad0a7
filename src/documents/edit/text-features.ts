/** The most features of one text: the smallest hashes, so that two texts can be compared by equal samples. */
const sampleSize = 128
/** Texts of fewer words are compared by their pairs of letters. */
const fewWords = 5
/** The most letters that make pairs. */
const maxPairedLetters = 200

const word = /[\p{L}\p{N}\p{M}_]+/gu

/** A text's features, to find a similar one among many. They are computed when they are first needed. */
export class TextFeatures {
  readonly #text: string
  #words: Uint32Array | undefined
  #pairs: Uint32Array | undefined

  constructor (text: string) {
    this.#text = text
  }

  /** Hashes of a sample of its words, ascending. */
  get words (): Uint32Array {
    this.#words ??= sample(hashWords(this.#text))
    return this.#words
  }

  /**
   * How similar two texts are, from 0 to 1: the share of words, or of pairs of letters in short texts, that both have
   * among those that either has.
   */
  similarTo (other: TextFeatures): number {
    const isShort = this.words.length < fewWords || other.words.length < fewWords
    return isShort ? overlap(this.#letterPairs, other.#letterPairs) : overlap(this.words, other.words)
  }

  get #letterPairs (): Uint32Array {
    this.#pairs ??= sample(hashPairs(this.#text.slice(0, maxPairedLetters)))
    return this.#pairs
  }
}

function hashWords (text: string): Set<number> {
  const hashes = new Set<number>()
  for (const [found] of text.matchAll(word)) hashes.add(hash(found, 0, found.length))
  return hashes
}

function hashPairs (text: string): Set<number> {
  const hashes = new Set<number>()
  for (let i = 0; i + 2 <= text.length; i++) hashes.add(hash(text, i, i + 2))
  if (text.length === 1) hashes.add(hash(text, 0, 1))
  return hashes
}

/** FNV-1a with a last mix, so that the smallest hashes are a fair sample. */
function hash (text: string, from: number, to: number): number {
  let value = 0x811c9dc5
  for (let i = from; i < to; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  return (value ^ (value >>> 13)) >>> 0
}

function sample (hashes: ReadonlySet<number>): Uint32Array {
  return Uint32Array.from(hashes).sort().slice(0, sampleSize)
}

/** The share of common hashes among the smallest ones of both sides together. */
function overlap (a: Uint32Array, b: Uint32Array): number {
  let [i, j, both, all] = [0, 0, 0, 0]
  while (i < a.length && j < b.length && all < sampleSize) {
    const [left, right] = [a[i]!, b[j]!]
    if (left === right) both++
    if (left <= right) i++
    if (right <= left) j++
    all++
  }
  const rest = Math.min(sampleSize - all, a.length - i + b.length - j)
  return all + rest === 0 ? 0 : both / (all + rest)
}
