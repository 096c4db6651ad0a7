import * as Y from 'yjs'
import { align, type AlignedItem } from './align.ts'
import { describeValue } from './describe-type.ts'
import { sameValue } from './same-value.ts'
import { type DeltaStep, newTextDelta, textDelta } from './text-delta.ts'
import { TextFeatures } from './text-features.ts'
import { contentOf, idOf, textOf, TreeKeys } from './tree-keys.ts'
import { isTreeText, type SourceType, type TreeElement, type TreeNode, type TreeText } from './tree.ts'
import { TypeCloner } from './type-cloner.ts'

/** The most nodes that are added to a new element at once: Yjs spreads them over the stack. */
const maxAtOnce = 5000

/**
 * Turns a fragment's content into the wanted one, and touches only what differs. Nodes with a source stay that node if
 * they keep their order; others are compared by their ids and content.
 * @param old from `readTree`; a wanted tree can hold parts of it, which stay as they are
 */
export function writeTree (
  transaction: Y.Transaction,
  fragment: Y.XmlFragment,
  old: readonly TreeNode[],
  wanted: readonly TreeNode[]
): void {
  const ids = commonIds(old, wanted)
  new TreeWriter(transaction, (id) => ids.has(id)).children(fragment, old, wanted)
}

/** Applies a change to a text. @param cloner fills the shared types in it */
export function applyDelta (text: Y.Text, delta: readonly DeltaStep[], cloner: TypeCloner): void {
  const steps = delta.map((step) => 'insert' in step ? { ...step, insert: cloner.prepare(step.insert) } : step)
  if (steps.length > 0) text.applyDelta(steps)
}

class TreeWriter {
  readonly #transaction: Y.Transaction
  readonly #isCommonId: (id: string) => boolean
  readonly #keys = new TreeKeys()
  readonly #cloner = new TypeCloner()

  constructor (transaction: Y.Transaction, isCommonId: (id: string) => boolean) {
    this.#transaction = transaction
    this.#isCommonId = isCommonId
  }

  children (parent: Y.XmlFragment, old: readonly TreeNode[], wanted: readonly TreeNode[]): void {
    if (old === wanted) return
    const matches = this.#align(old, wanted)
    const isKept = new Uint8Array(old.length)
    let left: Y.Item | null = null
    let fresh: SourceType[] = []
    const flush = () => {
      if (fresh.length === 0) return
      parent.insertAfter(left, fresh)
      this.#cloner.fill(this.#transaction)
      fresh = []
    }
    wanted.forEach((node, index) => {
      const before = old[matches[index]!]
      if (before === undefined) {
        fresh.push(this.#typeOf(node))
        return
      }
      isKept[matches[index]!] = 1
      flush()
      this.#node(before, node)
      left = before.source?._item ?? null
    })
    flush()
    old.forEach((node, index) => {
      if (isKept[index] === 0) node.source?._item?.delete(this.#transaction)
    })
  }

  #align (old: readonly TreeNode[], wanted: readonly TreeNode[]): Int32Array {
    const places = new Map<SourceType, number>()
    old.forEach(({ source }, index) => { if (source) places.set(source, index) })
    const pins = new Map<number, string>()
    const wantedPins = wanted.map((node, index) => {
      const place = node.source && places.get(node.source)
      if (typeof place === 'number' && !pins.has(place)) pins.set(place, `at ${place}`)
      return typeof place === 'number' ? `at ${place}` : node.source === undefined ? this.#pinOf(node) : `new ${index}`
    })
    return align(
      old.map((node, index) => new Item(node, this.#keys, pins.get(index) ?? this.#pinOf(node))),
      wanted.map((node, index) => new Item(node, this.#keys, wantedPins[index]))
    )
  }

  #pinOf (node: TreeNode): string | undefined {
    const id = idOf(node)
    return id !== undefined && this.#isCommonId(id) ? `id ${id}` : undefined
  }

  /** Changes a node that stays. Its name stays with it. */
  #node (old: TreeNode, wanted: TreeNode): void {
    if (old === wanted) return
    if (isTreeText(old) && isTreeText(wanted)) this.#text(old, wanted)
    else if (!isTreeText(old) && !isTreeText(wanted)) this.#element(old, wanted)
  }

  #text (old: TreeText, wanted: TreeText): void {
    if (!old.source) return
    applyDelta(old.source, textDelta(old.runs, wanted.runs), this.#cloner)
    this.#attributes(old.source, old.attributes ?? {}, wanted.attributes ?? {})
  }

  #element (old: TreeElement, wanted: TreeElement): void {
    const { source } = old
    if (!source) return
    this.#attributes(source, old.attributes, wanted.attributes)
    // A wanted node that names its source differs from it somewhere.
    const isSame = wanted.source !== source && this.#keys.exact(old) === this.#keys.exact(wanted)
    if (!isSame) this.children(source, old.children, wanted.children)
  }

  #attributes (
    type: SourceType,
    old: Readonly<Record<string, unknown>>,
    wanted: Readonly<Record<string, unknown>>
  ): void {
    for (const name in wanted) if (!isSame(old[name], wanted[name])) this.#setAttribute(type, name, wanted[name])
    for (const name in old) if (!(name in wanted)) type.removeAttribute(name)
    this.#cloner.fill(this.#transaction)
  }

  /** Makes a new type, to be inserted. */
  #typeOf (node: TreeNode): SourceType {
    if (isTreeText(node)) {
      const text = new Y.XmlText()
      applyDelta(text, newTextDelta(node.runs), this.#cloner)
      for (const name in node.attributes) this.#setAttribute(text, name, node.attributes[name])
      return text
    }
    const element = new Y.XmlElement(node.name)
    for (const name in node.attributes) this.#setAttribute(element, name, node.attributes[name])
    for (let from = 0; from < node.children.length; from += maxAtOnce) {
      element.insert(from, node.children.slice(from, from + maxAtOnce).map((child) => this.#typeOf(child)))
    }
    return element
  }

  /** Sets an attribute to any value that Yjs can hold, which its types leave to its users. */
  #setAttribute (type: SourceType, name: string, value: unknown): void {
    type.setAttribute(name, this.#cloner.prepare(value) as string)
  }
}

/** A node among its siblings. */
class Item implements AlignedItem {
  readonly pin: string | undefined
  readonly #node: TreeNode
  readonly #keys: TreeKeys
  #features: TextFeatures | undefined

  constructor (node: TreeNode, keys: TreeKeys, pin: string | undefined) {
    this.#node = node
    this.#keys = keys
    this.pin = pin
  }

  get deep (): number { return this.#keys.deep(this.#node) }
  get shallow (): number { return this.#keys.shallow(this.#node) }
  get rank (): string { return nameOf(this.#node) }
  get kind (): string { return nameOf(contentOf(this.#node)) }

  get features (): TextFeatures {
    this.#features ??= new TextFeatures(textOf(this.#node))
    return this.#features
  }
}

function nameOf (node: TreeNode): string {
  return isTreeText(node) ? '' : node.name
}

/** The ids that occur before and after. */
function commonIds (old: readonly TreeNode[], wanted: readonly TreeNode[]): Set<string> {
  const [before, after] = [new Set<string>(), new Set<string>()]
  collectIds(old, before)
  collectIds(wanted, after)
  return new Set([...after].filter((id) => before.has(id)))
}

function collectIds (nodes: readonly TreeNode[], ids: Set<string>): void {
  for (const node of nodes) {
    const id = idOf(node)
    if (id !== undefined) ids.add(id)
    if (!isTreeText(node)) collectIds(node.children, ids)
  }
}

/** Whether an attribute stays. A shared type in it is another one in another document. */
function isSame (old: unknown, wanted: unknown): boolean {
  return sameValue(old, wanted) || (wanted instanceof Y.AbstractType && describeValue(old) === describeValue(wanted))
}
