import { randomUUID } from 'node:crypto'
import type { Draft } from './draft.ts'
import type { StoredFragment } from './stored-blocks.ts'
import { group, idOf } from './tree-keys.ts'
import { isTreeText, type TreeElement, type TreeNode } from './tree.ts'

/** Turns a draft into the nodes that shall be stored. What is not changed stays the same object. */
export class DraftWriter {
  readonly #ids = new Set<string>()
  readonly #nodes = new Map<Draft, TreeNode>()

  /** Writes the children of the fragment. */
  write (root: Draft, fragment: StoredFragment): TreeNode[] {
    this.#claim(root)
    const children = root.children.map((child) => this.#write(child))
    const { group: old } = fragment
    if (old === undefined) return children.length === 0 ? [] : [groupOf(children, undefined)]
    return [groupOf(children, old), ...fragment.nodes.slice(1)]
  }

  /** The nodes of some blocks, after `write`. */
  nodesOf (drafts: readonly Draft[]): TreeNode[] {
    return drafts.flatMap((draft) => this.#nodes.get(draft) ?? [])
  }

  /** Claims the ids of the blocks that stay, so that no new block takes one. */
  #claim (draft: Draft): void {
    const { stored, content } = draft
    if (stored !== undefined) {
      if (content === undefined) this.#claimAll(stored.node)
      const id = draft.id ?? idOf(stored.node)
      if (id !== undefined) this.#ids.add(id)
    }
    for (const child of draft.children) this.#claim(child)
  }

  #claimAll (node: TreeNode): void {
    const id = idOf(node)
    if (id !== undefined) this.#ids.add(id)
    if (!isTreeText(node)) for (const child of node.children) this.#claimAll(child)
  }

  #write (draft: Draft): TreeNode {
    const node = this.#node(draft)
    this.#nodes.set(draft, node)
    return node
  }

  #node (draft: Draft): TreeNode {
    const { stored, content } = draft
    if (content === undefined) return stored?.node ?? { runs: [], embeds: 0 }
    const children = draft.children.map((child) => this.#write(child))
    if (stored === undefined || isTreeText(stored.node)) return this.#fresh(draft, content, children)
    const { node } = stored
    const hasNewId = draft.id !== undefined && draft.id !== idOf(node)
    const newId = hasNewId ? { id: draft.id } : {}
    const [, second] = node.children
    const oldGroup = second === undefined || isTreeText(second) ? undefined : second
    const before = draft.isHolder ? node.children : oldGroup?.children ?? []
    const isSame = content === stored.content && !hasNewId && sameNodes(children, before)
    if (isSame) return node
    if (draft.isHolder) return { ...node, attributes: { ...content.attributes, ...newId }, children }
    const blocks = children.length === 0 ? [] : [groupOf(children, oldGroup)]
    return { ...node, attributes: { ...node.attributes, ...newId }, children: [content, ...blocks] }
  }

  #fresh ({ id: wantedId, isHolder }: Draft, content: TreeElement, children: TreeNode[]): TreeElement {
    const id = wantedId === undefined || this.#ids.has(wantedId) ? randomUUID() : wantedId
    this.#ids.add(id)
    if (isHolder) return { name: content.name, attributes: { ...content.attributes, id }, children, source: null }
    const blocks = children.length === 0 ? [] : [groupOf(children, undefined)]
    return { name: 'blockContainer', attributes: { id }, children: [content, ...blocks], source: null }
  }
}

function groupOf (children: TreeNode[], old: TreeElement | undefined): TreeElement {
  if (old === undefined) return { name: group, attributes: {}, children, source: null }
  return sameNodes(children, old.children) ? old : { ...old, children }
}

function sameNodes (a: readonly TreeNode[], b: readonly TreeNode[]): boolean {
  return a.length === b.length && a.every((node, index) => node === b[index])
}
