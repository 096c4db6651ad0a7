import { align } from './align.ts'
import { mergeInline } from './merge-inline.ts'
import { sameValue } from './same-value.ts'
import { TextFeatures } from './text-features.ts'
import { textOf, type TreeKeys } from './tree-keys.ts'
import { isTreeText, type TreeElement, type TreeNode } from './tree.ts'

/** How the merged elements are stored. */
export interface ContentRules {
  readonly keys: TreeKeys
  /** What an element of this name holds; undefined if that is unknown. */
  readonly contentOf: (name: string) => 'inline' | 'code' | 'none' | 'table' | undefined
}

/**
 * Makes the change from `read` to `wanted` in the stored content of a block. What both say alike stays as it is stored,
 * with all that their format cannot hold: colours in markdown, comments in any.
 * @param stored as it is in the document
 * @param read what the input's format says of it
 * @param wanted what the input says
 */
export function mergeContent (
  stored: TreeElement,
  read: TreeElement,
  wanted: TreeElement,
  rules: ContentRules
): TreeElement {
  if (rules.keys.deep(read) === rules.keys.deep(wanted)) return stored
  const name = mergeName(stored, read, wanted)
  const attributes = mergeAttributes(stored, read, wanted, name === stored.name)
  const children = mergeChildren(stored, read, wanted, name, rules)
  return { name, attributes, children, ...name === stored.name && stored.source && { source: stored.source } }
}

function mergeChildren (
  stored: TreeElement,
  read: TreeElement,
  wanted: TreeElement,
  name: string,
  rules: ContentRules
): TreeNode[] {
  const kind = rules.contentOf(name)
  if (kind === 'none') return []
  if (kind !== rules.contentOf(read.name) || kind !== rules.contentOf(stored.name)) return wanted.children
  return kind === 'table' ? mergeRows(stored, read, wanted, rules) : mergeInline(stored.children, read.children, wanted.children)
}

/** A format that lacks a type, such as a toggle, says another one, which is no change while it stays. */
function mergeName (stored: TreeElement, read: TreeElement, wanted: TreeElement): string {
  return read.name === wanted.name ? stored.name : wanted.name
}

function mergeAttributes (
  { attributes: stored }: TreeElement,
  { attributes: read }: TreeElement,
  { attributes: wanted }: TreeElement,
  isSameType: boolean
): Record<string, unknown> {
  const merged = Object.create(null) as Record<string, unknown>
  for (const name in wanted) {
    const isUnchanged = name in read && sameValue(read[name], wanted[name])
    if (!isUnchanged || !(name in stored)) {
      // A default that is not stored is not written either.
      if (!isUnchanged || !isSameType) merged[name] = wanted[name]
    } else merged[name] = stored[name]
  }
  if (!isSameType) return merged
  for (const name in stored) if (!(name in wanted) && !(name in read)) merged[name] = stored[name]
  return merged
}

/** Merges the rows of a table, if the format says as many as are stored. */
function mergeRows (stored: TreeElement, read: TreeElement, wanted: TreeElement, rules: ContentRules): TreeNode[] {
  return mergeParts(stored, read, wanted, rules, mergeRow)
}

function mergeRow (stored: TreeElement, read: TreeElement, wanted: TreeElement, rules: ContentRules): TreeElement {
  return { ...stored, children: mergeParts(stored, read, wanted, rules, mergeCell) }
}

function mergeCell (stored: TreeElement, read: TreeElement, wanted: TreeElement, rules: ContentRules): TreeElement {
  const name = mergeName(stored, read, wanted)
  const attributes = mergeAttributes(stored, read, wanted, true)
  const children = mergeParts(stored, read, wanted, rules, (paragraph, before, after) => {
    return { ...paragraph, children: mergeInline(paragraph.children, before.children, after.children) }
  })
  return { name, attributes, children, ...name === stored.name && stored.source && { source: stored.source } }
}

type Merge = (stored: TreeElement, read: TreeElement, wanted: TreeElement, rules: ContentRules) => TreeElement

/** Merges rows, cells, or a cell's paragraphs one by one. */
function mergeParts (
  stored: TreeElement,
  read: TreeElement,
  wanted: TreeElement,
  rules: ContentRules,
  merge: Merge
): TreeNode[] {
  const parts = stored.children.filter(isElement)
  const before = read.children.filter(isElement)
  const after = wanted.children.filter(isElement)
  if (parts.length !== before.length || parts.length !== stored.children.length) return wanted.children
  const matches = align(before.map((part) => itemOf(part, rules.keys)), after.map((part) => itemOf(part, rules.keys)))
  return after.map((part, index) => {
    const place = matches[index]!
    const [old, said] = [parts[place], before[place]]
    if (old === undefined || said === undefined) return part
    return rules.keys.deep(said) === rules.keys.deep(part) ? old : merge(old, said, part, rules)
  })
}

function itemOf (node: TreeElement, keys: TreeKeys) {
  const key = keys.deep(node)
  // A cell can become a header and stay the same cell.
  return { deep: key, shallow: key, rank: '', kind: '', features: new TextFeatures(textOf(node)) }
}

function isElement (node: TreeNode): node is TreeElement {
  return !isTreeText(node)
}
