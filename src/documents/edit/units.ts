import type { Formats } from '../../convert/yjs/stored-node.ts'
import { isTreeText, type TreeElement, type TreeNode, type TreeRun } from './tree.ts'

/** Stands for an element or embedded object among characters. Characters of this kind are compared as such. */
const placeholder = '\u{fffc}'

/** An element or an embedded object in a line of text. */
export type Inserted = { readonly element: TreeElement } | { readonly embed: unknown }

/** The children of a block's content as one line: UTF-16 units of text, and one unit for each element in it. */
export class Units {
  /** Where runs begin, ascending, and their formats. An element or object is a run of its own. */
  readonly #starts: number[] = []
  readonly #formats: Formats[] = []
  readonly #inserted = new Map<number, Inserted>()
  #text = ''
  /** The run that was looked up last: the next one is mostly the same or follows it. */
  #last = 0

  /** Reads the children of an element. */
  static of (nodes: readonly TreeNode[]): Units {
    const units = new Units()
    for (const node of nodes) {
      if (isTreeText(node)) units.addRuns(node.runs)
      else units.#insert({ element: node }, noFormats)
    }
    return units
  }

  /** Adds text. */
  addRuns (runs: readonly TreeRun[]): void {
    for (const { text, formats, ...rest } of runs) {
      if ('embed' in rest) this.#insert({ embed: rest.embed }, formats)
      else if (text !== '') {
        this.#begin(formats)
        this.#text += text
      }
    }
  }

  /** The characters, with a placeholder for everything else. */
  get text (): string { return this.#text }

  get length (): number { return this.#text.length }

  /** Whether anything but characters is among them. */
  get hasInserted (): boolean { return this.#inserted.size > 0 }

  /** The formats of a unit. */
  formatsAt (index: number): Formats { return this.#formats[this.#runAt(index)] ?? noFormats }

  /** The element or object at a place; undefined for a character. */
  insertedAt (index: number): Inserted | undefined { return this.#inserted.get(index) }

  /** The end of the characters from here on that share their formats, or of the one element here; at most `to`. */
  endOfRun (index: number, to: number): number {
    return Math.min(to, this.#starts[this.#runAt(index) + 1] ?? this.length)
  }

  #runAt (index: number): number {
    const starts = this.#starts
    for (let run = this.#last; run <= this.#last + 1; run++) {
      if (starts[run]! <= index && index < (starts[run + 1] ?? Infinity)) return (this.#last = run)
    }
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= index) low = middle
      else high = middle
    }
    return (this.#last = low)
  }

  #begin (formats: Formats): void {
    this.#starts.push(this.#text.length)
    this.#formats.push(formats)
  }

  #insert (inserted: Inserted, formats: Formats): void {
    this.#begin(formats)
    this.#inserted.set(this.#text.length, inserted)
    this.#text += placeholder
  }
}

const noFormats: Formats = Object.freeze(Object.create(null))
