import { align, type AlignedItem } from './align.ts'
import type { Block } from '../../convert/blocks/block.ts'
import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { blockText, describeBlocks, inOrder, type ReadBlock } from './read-blocks.ts'
import type { Stored } from './stored-blocks.ts'
import { TextFeatures } from './text-features.ts'
import type { TreeKeys } from './tree-keys.ts'

/** Where a read block is stored. */
export interface Origin { readonly stored: Stored, readonly block: Block }

/** Texts of fewer letters say little about whether a block was moved. */
const leastMovedText = 3

/**
 * Finds out where the blocks of a format are stored, by their order, types and texts. The format can lack some of them,
 * such as empty paragraphs, and can nest the others less.
 */
export function originsOf (
  stored: readonly Stored[],
  read: readonly ReadBlock[],
  table: BlockTable,
  keys: TreeKeys
): Map<ReadBlock, Origin> {
  const origins: Array<Origin & { text: string }> = []
  for (const each of inOrder(stored)) {
    const [block] = each.blocks
    if (each.content !== undefined && block !== undefined) {
      origins.push({ stored: each, block, text: each.isHolder ? '' : blockText(each.content) })
    } else {
      for (const block of each.blocks) {
        const [described] = describeBlocks([{ ...block, children: [] }], table, keys)
        origins.push({ stored: each, block, text: described?.text ?? '' })
      }
    }
  }
  const blocks = inOrder(read)
  const matches = align(
    origins.map(({ block, text }) => textItem(block, text, keys)),
    blocks.map(({ block, text }) => textItem(block, text, keys))
  )
  const found = new Map<ReadBlock, Origin>()
  blocks.forEach((block, index) => {
    const origin = origins[matches[index]!]
    if (origin !== undefined) found.set(block, origin)
  })
  return found
}

function textItem ({ type }: Block, text: string, keys: TreeKeys): AlignedItem {
  const words = text.replace(/\s+/g, ' ').trim()
  return {
    deep: keys.number(`${type}\n${words}`),
    shallow: keys.number(words === '' ? `${type}\n` : `\n${words}`),
    rank: '',
    kind: type,
    features: new TextFeatures(words),
  }
}

/** Which blocks of the input are which of those before. */
export interface BlockMatches {
  /** The block that stays in its place. */
  readonly kept: ReadonlyMap<ReadBlock, ReadBlock>
  /** The wanted block that a kept one becomes. */
  readonly becomes: ReadonlyMap<ReadBlock, ReadBlock>
  /** The block that is written anew at another place. */
  readonly moved: ReadonlyMap<ReadBlock, ReadBlock>
}

/**
 * Compares the blocks before and after, level by level.
 * @param isGiven whether the input names this id; a block with it is only the one that has it
 */
export function matchBlocks (
  read: readonly ReadBlock[],
  wanted: readonly ReadBlock[],
  isGiven: (id: string) => boolean
): BlockMatches {
  const known = new Set(inOrder(read).map(({ block }) => block.id))
  const pinOf = ({ block: { id } }: ReadBlock) => isGiven(id) && known.has(id) ? id : undefined
  const kept = new Map<ReadBlock, ReadBlock>()
  const matchLevel = (before: readonly ReadBlock[], after: readonly ReadBlock[]): void => {
    const itemOf = (block: ReadBlock) => new BlockItem(block, pinOf(block))
    const matches = align(before.map(itemOf), after.map(itemOf))
    after.forEach((block, index) => {
      const old = before[matches[index]!]
      if (old === undefined) return
      kept.set(block, old)
      matchLevel(old.children, block.children)
    })
  }
  matchLevel(read, wanted)
  const becomes = new Map([...kept].map(([after, before]) => [before, after]))
  const moved = matchMoved(
    inOrder(read).filter((block) => !becomes.has(block)),
    inOrder(wanted).filter((block) => !kept.has(block)),
    pinOf
  )
  return { kept, becomes, moved }
}

class BlockItem implements AlignedItem {
  readonly deep: number
  readonly shallow: number
  readonly rank: string
  readonly kind: string
  readonly pin: string | undefined
  readonly #text: string
  #features: TextFeatures | undefined

  constructor ({ block, deep, shallow, isHolder, text }: ReadBlock, pin: string | undefined) {
    this.deep = deep
    this.shallow = shallow
    this.rank = isHolder ? block.type : ''
    this.kind = block.type
    this.pin = pin
    this.#text = text
  }

  get features (): TextFeatures {
    this.#features ??= new TextFeatures(this.#text)
    return this.#features
  }
}

/** Matches the rest by id, or by equal content. */
function matchMoved (
  read: readonly ReadBlock[],
  wanted: readonly ReadBlock[],
  pinOf: (block: ReadBlock) => string | undefined
): Map<ReadBlock, ReadBlock> {
  const byPin = new Map<string, ReadBlock>()
  const byContent = new Map<number, ReadBlock[]>()
  for (const block of read) {
    const pin = pinOf(block)
    if (pin !== undefined) byPin.set(pin, block)
    else if (block.text.length >= leastMovedText) {
      const others = byContent.get(block.shallow)
      if (others === undefined) byContent.set(block.shallow, [block])
      else others.push(block)
    }
  }
  // They are taken in the order in which they stand.
  for (const blocks of byContent.values()) blocks.reverse()
  const moved = new Map<ReadBlock, ReadBlock>()
  for (const block of wanted) {
    const pin = pinOf(block)
    const origin = pin === undefined ? byContent.get(block.shallow)?.pop() : byPin.get(pin)
    if (origin !== undefined) moved.set(block, origin)
  }
  return moved
}
