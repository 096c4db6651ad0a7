import type { Block } from '../../convert/blocks/block.ts'
import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { InvalidContent } from '../../convert/conversion-failure.ts'
import { blocksToUpdate, defaultFragment } from '../../convert/yjs/blocks-to-update.ts'
import { readSimpleUpdate } from '../../convert/yjs/read-simple-update.ts'
import type { Stored } from './stored-blocks.ts'
import { textOf, type TreeKeys } from './tree-keys.ts'
import { isTreeText, type TreeElement, type TreeNode } from './tree.ts'

/** A block as a format says it. */
export interface ReadBlock {
  readonly block: Block
  /** Its content as it would be stored; for a block that only holds others, such as a column, all of it. */
  readonly content: TreeElement
  readonly children: readonly ReadBlock[]
  readonly text: string
  /** Equal for blocks with equal type, props and content. */
  readonly shallow: number
  /** The same with the blocks within it. */
  readonly deep: number
  readonly isHolder: boolean
}

/** What is known of a block of the input. */
export interface WantedBlock extends ReadBlock {
  readonly children: readonly WantedBlock[]
}

/** The stored block that a read one was read from. */
export type Origins = ReadonlyMap<ReadBlock, Stored>

/** Describes blocks in the form in which they are stored. */
export function describeBlocks (blocks: readonly Block[], table: BlockTable, keys: TreeKeys): ReadBlock[] {
  // The update is of the simple kind, since one writer has made it from start to end.
  const [group] = readSimpleUpdate(blocksToUpdate(blocks, table), defaultFragment) ?? []
  return describeAll(blocks, childrenOf(group as TreeNode | undefined), table, keys)
}

function describeAll (
  blocks: readonly Block[],
  nodes: readonly TreeNode[],
  table: BlockTable,
  keys: TreeKeys
): ReadBlock[] {
  return blocks.map((block, index) => {
    const node = nodes[index]
    if (node === undefined || isTreeText(node)) throw new InvalidContent('The blocks cannot be stored')
    return describe(block, node, table, keys)
  })
}

function describe (block: Block, node: TreeElement, table: BlockTable, keys: TreeKeys): ReadBlock {
  const isHolder = table.blocks.get(block.type)?.container === true
  const [content, group] = isHolder ? [node, node] : node.children
  if (content === undefined || isTreeText(content)) throw new InvalidContent('The blocks cannot be stored')
  const children = describeAll(block.children, childrenOf(group), table, keys)
  const shallow = isHolder ? holderKey(node, keys) : keys.deep(content)
  const deep = children.length === 0 ? shallow : keys.number(`block ${shallow} ${children.map(({ deep }) => deep).join(' ')}`)
  return { block, content, children, text: isHolder ? '' : blockText(content), shallow, deep, isHolder }
}

/** The text of a block; the addresses and names of one without text. */
export function blockText (content: TreeElement): string {
  const text = textOf(content)
  if (text.trim() !== '') return text
  const { url, name, caption } = content.attributes
  return [url, name, caption].filter((value) => typeof value === 'string' && value !== '').join(' ')
}

function holderKey ({ name, attributes }: TreeElement, keys: TreeKeys): number {
  return keys.deep({ name, attributes, children: [] })
}

function childrenOf (node: TreeNode | undefined): readonly TreeNode[] {
  return node === undefined || isTreeText(node) ? [] : node.children
}

/** All blocks, each before those within it. */
export function inOrder<T extends { readonly children: readonly T[] }> (blocks: readonly T[]): T[] {
  const all: T[] = []
  const visit = (block: T): void => {
    all.push(block)
    block.children.forEach(visit)
  }
  blocks.forEach(visit)
  return all
}
