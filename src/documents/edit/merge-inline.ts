import type { Formats } from '../../convert/yjs/stored-node.ts'
import { sameValue } from './same-value.ts'
import { keyOf } from './text-delta.ts'
import type { TreeNode, TreeRun } from './tree.ts'
import { matchUnits, type Stretch } from './unit-diff.ts'
import { type Inserted, Units } from './units.ts'

/**
 * Makes the change from `read` to `wanted` in a stored line of text, character by character. Characters that stay keep
 * the formats that `read` does not say, and replaced ones pass them on. What `read` says otherwise than it is stored,
 * such as a link in place of an element, stays as it is stored while it is unchanged.
 */
export function mergeInline (
  stored: readonly TreeNode[],
  read: readonly TreeNode[],
  wanted: readonly TreeNode[]
): TreeNode[] {
  return new InlineMerge(Units.of(stored), Units.of(read), Units.of(wanted)).result()
}

class InlineMerge {
  readonly #stored: Units
  readonly #read: Units
  readonly #wanted: Units
  /** For each unit of `read` its place in `wanted`; -1 if it is gone. */
  readonly #kept: Int32Array
  readonly #line = new LineBuilder()
  /** The wanted unit that comes next. */
  #next = 0
  /** Formats that `read` does not say: of the last unit that stays, and of all that are gone since. */
  #before: Formats | undefined
  #gone: Formats | undefined

  constructor (stored: Units, read: Units, wanted: Units) {
    this.#stored = stored
    this.#read = read
    this.#wanted = wanted
    this.#kept = new Int32Array(read.length).fill(-1)
    for (const { a, b, length } of matchUnits(read, wanted, keyOf)) {
      for (let i = 0; i < length; i++) this.#kept[a + i] = b + i
    }
  }

  result (): TreeNode[] {
    let end = { a: 0, b: 0 }
    for (const stretch of matchUnits(this.#stored, this.#read, typeOf)) {
      this.#otherwise(end.a, stretch.a, end.b, stretch.b)
      this.#alike(stretch)
      end = { a: stretch.a + stretch.length, b: stretch.b + stretch.length }
    }
    this.#otherwise(end.a, this.#stored.length, end.b, this.#read.length)
    this.#insert(this.#wanted.length, undefined)
    return this.#line.finish()
  }

  /** Units that are read as they are stored. */
  #alike ({ a, b, length }: Stretch): void {
    for (let start = 0; start < length;) {
      const [stored, read] = [a + start, b + start]
      const place = this.#kept[read]!
      const end = this.#endOfPart(stored, read, place, length - start)
      const hidden = hiddenFormats(this.#stored.formatsAt(stored), this.#read.formatsAt(read))
      if (place < 0) this.#gone = this.#gone === undefined ? hidden : common(this.#gone, hidden)
      else {
        this.#insert(place, hidden)
        this.#keep(stored, read, place, end)
        this.#next = place + end
        this.#before = hidden
      }
      start += end
    }
  }

  /** The number of units from here on, at most `most`, that stay together, or are gone, and share all formats. */
  #endOfPart (stored: number, read: number, place: number, most: number): number {
    const shared = Math.min(
      this.#stored.endOfRun(stored, stored + most) - stored,
      this.#read.endOfRun(read, read + most) - read,
      place < 0 ? most : this.#wanted.endOfRun(place, place + most) - place
    )
    let end = 1
    while (end < shared && this.#kept[read + end] === (place < 0 ? -1 : place + end)) end++
    return end
  }

  /** Units that are read otherwise than they are stored. They stay if what is read stays. */
  #otherwise (from: number, to: number, readFrom: number, readTo: number): void {
    if (readFrom === readTo) {
      const isKept = (place: number) => place < 0 || place >= this.#read.length || this.#kept[place]! >= 0
      if (isKept(readFrom - 1) || isKept(readTo)) this.#copy(from, to)
      return
    }
    const first = this.#kept[readFrom]!
    for (let i = readFrom; i < readTo; i++) if (first < 0 || this.#kept[i] !== first + i - readFrom) return
    this.#insert(first, undefined)
    this.#copy(from, to)
    this.#next = first + readTo - readFrom
    this.#before = undefined
  }

  #copy (from: number, to: number): void {
    for (let start = from; start < to;) {
      const end = this.#stored.endOfRun(start, to)
      this.#line.add(this.#stored, start, end, this.#stored.formatsAt(start))
      start = end
    }
  }

  /** Adds units that stay, and share all formats. */
  #keep (stored: number, read: number, wanted: number, length: number): void {
    const formats = mergeFormats(
      this.#stored.formatsAt(stored),
      this.#read.formatsAt(read),
      this.#wanted.formatsAt(wanted)
    )
    const [before, after] = [this.#read.insertedAt(read), this.#wanted.insertedAt(wanted)]
    const isChanged = before !== undefined && after !== undefined && keyOf(before) !== keyOf(after)
    if (isChanged) this.#line.add(this.#wanted, wanted, wanted + length, formats)
    else this.#line.add(this.#stored, stored, stored + length, formats)
  }

  /** Adds the wanted units before a place. They inherit formats that what they replace had, or both neighbours have. */
  #insert (to: number, after: Formats | undefined): void {
    const between = this.#before !== undefined && after !== undefined ? common(this.#before, after) : undefined
    const inherited = this.#gone ?? between ?? noFormats
    while (this.#next < to) {
      const end = this.#wanted.endOfRun(this.#next, to)
      this.#line.add(this.#wanted, this.#next, end, withFormats(inherited, this.#wanted.formatsAt(this.#next)))
      this.#next = end
    }
    this.#gone = undefined
  }
}

/** Builds the children of an element. Texts stand between elements. */
class LineBuilder {
  readonly #nodes: TreeNode[] = []
  #runs: TreeRun[] = []
  #embeds = 0
  #text = ''
  #formats: Formats = noFormats

  /** Adds the units of one run. */
  add (units: Units, from: number, to: number, formats: Formats): void {
    const inserted = units.insertedAt(from)
    if (inserted === undefined) {
      if (formats !== this.#formats) this.#endRun(formats)
      this.#text += units.text.slice(from, to)
    } else if ('embed' in inserted) {
      this.#endRun(formats)
      this.#runs.push({ text: '', formats, embed: inserted.embed })
      this.#embeds++
    } else {
      this.#endText()
      this.#nodes.push(inserted.element)
    }
  }

  finish (): TreeNode[] {
    this.#endText()
    return this.#nodes
  }

  #endRun (next: Formats): void {
    if (this.#text !== '') this.#runs.push({ text: this.#text, formats: this.#formats })
    this.#text = ''
    this.#formats = next
  }

  #endText (): void {
    this.#endRun(noFormats)
    if (this.#runs.length > 0) this.#nodes.push({ runs: this.#runs, embeds: this.#embeds })
    this.#runs = []
    this.#embeds = 0
  }
}

const noFormats: Formats = Object.freeze(Object.create(null))

/** Compares the units of a stored line with those that are read from it, where an element can lack props. */
function typeOf (inserted: Inserted): string {
  return 'element' in inserted ? inserted.element.name : ''
}

/** The name of a mark; those that can overlap each other are stored as `comment--<hash>`. */
function markOf (key: string): string {
  return key.split('--', 1)[0] ?? key
}

/** Remembers the results for formats that many units share. */
function remembering (compute: (a: Formats, b: Formats) => Formats): (a: Formats, b: Formats) => Formats {
  const known = new WeakMap<Formats, WeakMap<Formats, Formats>>()
  return (a, b) => {
    let results = known.get(a)
    if (results === undefined) known.set(a, results = new WeakMap())
    let result = results.get(b)
    if (result === undefined) results.set(b, result = compute(a, b))
    return result
  }
}

/** The stored formats of which nothing is read. */
const hiddenFormats = remembering((stored, read) => {
  const names = new Set(Object.keys(read).map(markOf))
  return filter(stored, (key) => !names.has(markOf(key)))
})

/** The formats that both have. */
const common = remembering((a, b) => filter(a, (key) => sameValue(a[key], b[key])))

/** The inherited formats with a unit's own. */
const withFormats = remembering((inherited, own) => {
  const names = new Set(Object.keys(own).map(markOf))
  return joined(filter(inherited, (key) => !names.has(markOf(key))), own)
})

/** The stored formats with the changes from those that are read to those that are wanted. */
function mergeFormats (stored: Formats, read: Formats, wanted: Formats): Formats {
  const change = changeOf(read, wanted)
  return change === unchanged ? stored : applyChange(stored, change)
}

const unchanged: Formats = Object.freeze(Object.create(null))

/** The changed marks by name; undefined for one that is gone. */
const changeOf = remembering((read, wanted) => {
  const change = Object.create(null) as Record<string, unknown>
  for (const key in read) if (!(key in wanted)) change[markOf(key)] = undefined
  for (const key in wanted) if (!sameValue(read[key], wanted[key])) change[markOf(key)] = wanted[key]
  return Object.keys(change).length === 0 ? unchanged : change
})

const applyChange = remembering((stored, change) => {
  const added = filter(change, (key) => change[key] !== undefined)
  return joined(filter(stored, (key) => !(markOf(key) in change)), added)
})

function joined (formats: Formats, more: Formats): Formats {
  // Object.create gives any; the copy is a plain map of what it is given.
  return Object.assign(Object.create(null), formats, more) as Formats
}

function filter (formats: Formats, isWanted: (key: string) => boolean): Formats {
  const result = Object.create(null) as Record<string, unknown>
  for (const key in formats) if (isWanted(key)) result[key] = formats[key]
  return result
}
