import * as Y from 'yjs'
import { mergeUpdates } from '../../update/merge-updates.ts'
import { scanUpdate } from '../../update/scan-update.ts'
import { describeContent, describeValue, entryOf, kindOf } from './describe-type.ts'
import { checkDocument, progressOf } from './merge-update.ts'
import { OpenDocument } from './open-document.ts'
import { matchSequences } from './sequence-diff.ts'
import { textDelta } from './text-delta.ts'
import { readForeignTree, readTree, runsOf } from './tree.ts'
import { type SharedType, TypeCloner } from './type-cloner.ts'
import { applyDelta, writeTree } from './write-tree.ts'

/**
 * Makes a document equal to another one, root by root. If the other one is a later state of the document, its own edits
 * are taken over; otherwise the differences are written anew, and a root that the other one lacks becomes empty.
 * @param state the whole document as one update, V1
 * @param wanted the other document, as one update, V1
 * @returns undefined if they are equal
 * @throws InvalidContent if the other document is malformed or not complete
 * @throws DamagedState
 */
export function replaceDocument (state: Uint8Array, wanted: Uint8Array): Uint8Array | undefined {
  checkDocument(wanted)
  const progress = progressOf(state, wanted)
  const document = new OpenDocument(progress === undefined ? state : join(state, progress))
  const body = new OpenDocument(wanted).doc
  const change = document.edit((transaction) => {
    const names = new Set([...document.doc.share.keys(), ...body.share.keys()])
    for (const name of names) new Replacement(transaction).root(document.doc, body, name)
  })
  if (progress === undefined || change === undefined) return progress ?? change
  return join(progress, change)
}

function join (...updates: readonly Uint8Array[]): Uint8Array {
  return mergeUpdates(updates.map(scanUpdate))
}

/** The kind of list that a type holds. A root's own kind is not stored, so its content shows it. */
type ListKind = 'text' | 'nodes' | 'values' | 'none'

class Replacement {
  readonly #transaction: Y.Transaction
  readonly #cloner = new TypeCloner()

  constructor (transaction: Y.Transaction) {
    this.#transaction = transaction
  }

  root (doc: Y.Doc, body: Y.Doc, name: string): void {
    const [old, wanted] = [doc.get(name), body.get(name)]
    if (describeContent(old) === describeContent(wanted)) return
    const kinds = new Set([listKindOf(old), listKindOf(wanted)].filter((kind) => kind !== 'none'))
    const [kind = 'none', another] = kinds
    if (another !== undefined) {
      // The root is used otherwise than before, so nothing of it can stay.
      clear(this.#transaction, old)
      this.#cloner.append(this.#transaction, wanted, old)
    } else if (kind === 'text') this.#text(doc.getText(name), body.getText(name))
    else if (kind === 'nodes') this.#nodes(doc.getXmlFragment(name), body.getXmlFragment(name))
    else if (kind === 'values') this.#array(doc.getArray(name), body.getArray(name))
    else this.#map(doc.getMap(name), body.getMap(name))
  }

  /** Makes a type equal to another of its kind. */
  #type (old: unknown, wanted: unknown): void {
    if (old instanceof Y.Text && wanted instanceof Y.Text) this.#text(old, wanted)
    else if (old instanceof Y.Array && wanted instanceof Y.Array) this.#array(old, wanted)
    else if (old instanceof Y.Map && wanted instanceof Y.Map) this.#map(old, wanted)
    else if (old instanceof Y.XmlElement && wanted instanceof Y.XmlElement) {
      const set = (name: string, value: unknown) => old.setAttribute(name, value as string)
      this.#entries(old, wanted, set, (name) => old.removeAttribute(name))
      this.#nodes(old, wanted)
    } else if (old instanceof Y.XmlFragment && wanted instanceof Y.XmlFragment) this.#nodes(old, wanted)
  }

  #nodes (old: Y.XmlFragment, wanted: Y.XmlFragment): void {
    writeTree(this.#transaction, old, readTree(old), readForeignTree(wanted))
  }

  #text (old: Y.Text, wanted: Y.Text): void {
    applyDelta(old, textDelta(runsOf(old).runs, runsOf(wanted).runs), this.#cloner)
    this.#cloner.fill(this.#transaction)
    this.#entries(old, wanted, (name, value) => old.setAttribute(name, value), (name) => old.removeAttribute(name))
  }

  #array (old: Y.Array<unknown>, wanted: Y.Array<unknown>): void {
    const [before, after] = [old.toArray(), wanted.toArray()]
    const numbers = new Map<string, number>()
    const numberOf = (value: unknown) => {
      const key = describeValue(value)
      return numbers.get(key) ?? numbers.set(key, numbers.size).size - 1
    }
    const matches = matchSequences(before.map(numberOf), after.map(numberOf))
    let [taken, at] = [0, 0]
    const change = (to: number, values: readonly unknown[]) => {
      const both = Math.min(to - taken, values.length)
      let kept = 0
      for (; kept < both && isSameKind(before[taken + kept], values[kept]); kept++) {
        this.#type(before[taken + kept], values[kept])
      }
      if (to > taken + kept) old.delete(at + kept, to - taken - kept)
      if (values.length > kept) old.insert(at + kept, values.slice(kept).map((value) => this.#cloner.prepare(value)))
      this.#cloner.fill(this.#transaction)
      at += values.length
    }
    let fresh: unknown[] = []
    matches.forEach((match, index) => {
      if (match < 0) {
        fresh.push(after[index])
        return
      }
      change(match, fresh)
      fresh = []
      taken = match + 1
      at++
    })
    change(before.length, fresh)
  }

  #map (old: Y.Map<unknown>, wanted: Y.Map<unknown>): void {
    this.#entries(old, wanted, (key, value) => old.set(key, value), (key) => old.delete(key))
  }

  #entries (
    old: SharedType,
    wanted: SharedType,
    set: (key: string, value: unknown) => void,
    remove: (key: string) => void
  ): void {
    for (const [key, item] of wanted._map) {
      if (item.deleted) continue
      const [before, after] = [entryOf(old, key), entryOf(wanted, key)]
      const isThere = old._map.get(key)?.deleted === false
      if (isThere && describeValue(before) === describeValue(after)) continue
      if (isSameKind(before, after)) this.#type(before, after)
      else set(key, this.#cloner.prepare(after))
      this.#cloner.fill(this.#transaction)
    }
    for (const [key, item] of old._map) if (!item.deleted && wanted._map.get(key)?.deleted !== false) remove(key)
  }
}

function isSameKind (old: unknown, wanted: unknown): boolean {
  return old instanceof Y.AbstractType && wanted instanceof Y.AbstractType && kindOf(old) === kindOf(wanted)
}

function listKindOf (type: SharedType): ListKind {
  let hasNodes = false
  let hasValues = false
  for (let item = type._start; item !== null; item = item.right) {
    const { content, deleted } = item
    if (deleted) continue
    if (isOfText(content)) return 'text'
    if (content instanceof Y.ContentType && isXml(content.type)) hasNodes = true
    else hasValues = true
  }
  return hasValues ? 'values' : hasNodes ? 'nodes' : 'none'
}

function isOfText (content: unknown): boolean {
  return content instanceof Y.ContentString || content instanceof Y.ContentFormat || content instanceof Y.ContentEmbed
}

function isXml (type: unknown): boolean {
  return type instanceof Y.XmlElement || type instanceof Y.XmlText
}

function clear (transaction: Y.Transaction, type: SharedType): void {
  for (let item = type._start; item !== null; item = item.right) if (!item.deleted) item.delete(transaction)
  for (const item of type._map.values()) if (!item.deleted) item.delete(transaction)
}
