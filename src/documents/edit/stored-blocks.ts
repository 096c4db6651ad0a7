import type { Block } from '../../convert/blocks/block.ts'
import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { Dropped } from '../../convert/dropped.ts'
import type { StoredElement } from '../../convert/yjs/stored-node.ts'
import { nodesToBlocks } from '../../convert/yjs/update-to-blocks.ts'
import { group } from './tree-keys.ts'
import { isTreeText, type TreeElement, type TreeNode } from './tree.ts'

/** A child of a group, as it is in the document. */
export interface Stored {
  readonly node: TreeNode
  /**
   * As they are read: one of a usual child. A conflict can leave several contents in a container, an unknown element
   * can be read as several blocks or none.
   */
  readonly blocks: readonly Block[]
  /** The content of a usual child; undefined for another one, which stays as it is or is written anew. */
  readonly content: TreeElement | undefined
  /** Whether it is an element that holds only blocks, such as a column. */
  readonly isHolder: boolean
  /** The children of a usual child. */
  readonly children: readonly Stored[]
}

/** The blocks of a fragment. */
export interface StoredFragment {
  /** Everything in the fragment. */
  readonly nodes: readonly TreeNode[]
  /** The group that holds the blocks; undefined if there is none. */
  readonly group: TreeElement | undefined
  /** The group's children. */
  readonly children: readonly Stored[]
  /** All blocks, as they are read; columns are not tidied. */
  readonly blocks: Block[]
}

/** Reads the blocks of a fragment together with the places where they are stored. @throws InvalidContent */
export function readStoredBlocks (nodes: readonly TreeNode[], table: BlockTable): StoredFragment {
  const found = new Map<StoredElement, Block[]>()
  const blocks = nodesToBlocks(nodes, table, new Dropped(), (block, content) => {
    const others = found.get(content)
    if (others === undefined) found.set(content, [block])
    else others.push(block)
  })
  const [first] = nodes
  const isGroup = first !== undefined && !isTreeText(first) && first.name === group
  const reader = new StoredReader(found, table)
  return { nodes, blocks, group: isGroup ? first : undefined, children: isGroup ? first.children.map(reader.read) : [] }
}

class StoredReader {
  readonly #found: ReadonlyMap<StoredElement, Block[]>
  readonly #table: BlockTable

  constructor (found: ReadonlyMap<StoredElement, Block[]>, table: BlockTable) {
    this.#found = found
    this.#table = table
  }

  readonly read = (node: TreeNode): Stored => {
    return this.#holder(node) ?? this.#container(node) ?? this.#other(node)
  }

  #holder (node: TreeNode): Stored | undefined {
    if (isTreeText(node) || this.#table.blocks.get(node.name)?.container !== true) return undefined
    const blocks = this.#found.get(node) ?? []
    return { node, blocks, content: node, isHolder: true, children: node.children.map(this.read) }
  }

  /** Reads a container with one content of a known type, and at most one group after it. */
  #container (node: TreeNode): Stored | undefined {
    if (isTreeText(node) || node.name !== 'blockContainer' || node.children.length > 2) return undefined
    const [content, second] = node.children
    if (content === undefined || isTreeText(content)) return undefined
    const spec = this.#table.blocks.get(content.name)
    if (spec === undefined || spec.container === true) return undefined
    if (second !== undefined && (isTreeText(second) || second.name !== group)) return undefined
    const children = second === undefined ? [] : second.children.map(this.read)
    return { node, blocks: this.#found.get(content) ?? [], content, isHolder: false, children }
  }

  #other (node: TreeNode): Stored {
    const blocks: Block[] = []
    this.#collect(node, blocks)
    return { node, blocks, content: undefined, isHolder: false, children: [] }
  }

  #collect (node: TreeNode, blocks: Block[]): void {
    if (isTreeText(node)) return
    for (const block of this.#found.get(node) ?? []) blocks.push(block)
    for (const child of node.children) this.#collect(child, blocks)
  }
}
