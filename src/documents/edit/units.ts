import type { Formats } from '../../convert/yjs/stored-node.ts'
import { isTreeText, type TreeElement, type TreeNode, type TreeRun } from './tree.ts'

/** Stands for an element or embedded object among characters. Characters of this kind are compared as such. */
const placeholder = '\u{fffc}'

/** An element or an embedded object in a line of text. */
export type Inserted = { readonly element: TreeElement } | { readonly embed: unknown }

/** The children of a block's content as one line: UTF-16 units of text, and one unit for each element in it. */
export class Units {
  readonly #formats: Formats[] = []
  readonly #inserted = new Map<number, Inserted>()
  #text = ''

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
      else {
        this.#text += text
        for (let left = text.length; left > 0; left--) this.#formats.push(formats)
      }
    }
  }

  /** The characters, with a placeholder for everything else. */
  get text (): string { return this.#text }

  get length (): number { return this.#text.length }

  /** Whether anything but characters is among them. */
  get hasInserted (): boolean { return this.#inserted.size > 0 }

  /** The formats of a unit. Neighbours from one run share the object. */
  formatsAt (index: number): Formats { return this.#formats[index] ?? noFormats }

  /** The element or object at a place; undefined for a character. */
  insertedAt (index: number): Inserted | undefined { return this.#inserted.get(index) }

  /** The end of the characters from here on that share their formats, at most `to`. */
  endOfRun (from: number, to: number): number {
    let end = from + 1
    while (end < to && this.#formats[end] === this.#formats[from] && !this.#inserted.has(end)) end++
    return end
  }

  /** The end of the units from here on that share their formats, at most `to`. */
  endOfFormats (from: number, to: number): number {
    let end = from + 1
    while (end < to && this.#formats[end] === this.#formats[from]) end++
    return end
  }

  #insert (inserted: Inserted, formats: Formats): void {
    this.#inserted.set(this.#text.length, inserted)
    this.#text += placeholder
    this.#formats.push(formats)
  }
}

const noFormats: Formats = Object.freeze(Object.create(null))
