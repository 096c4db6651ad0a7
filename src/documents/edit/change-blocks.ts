import type { Block } from '../../convert/blocks/block.ts'
import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { Draft } from './draft.ts'
import type { BlockMatches, Origin } from './match-blocks.ts'
import { type ContentRules, mergeContent } from './merge-content.ts'
import { describeBlocks, inOrder, type ReadBlock } from './read-blocks.ts'
import type { Stored } from './stored-blocks.ts'
import { idOf } from './tree-keys.ts'
import type { TreeElement } from './tree.ts'

/** The change from what is read to what is wanted. */
export interface BlockChange {
  readonly read: readonly ReadBlock[]
  readonly wanted: readonly ReadBlock[]
  readonly matches: BlockMatches
  readonly origins: ReadonlyMap<ReadBlock, Origin>
  readonly isGiven: (id: string) => boolean
  readonly table: BlockTable
  readonly rules: ContentRules
}

/**
 * How the contents of blocks change: what the input changes in a block is `merged` with what is stored, or the block
 * becomes what the input says, if it is changed, or in any case.
 */
export type ContentChange = 'merged' | 'rewritten' | 'all rewritten'

/** Drafts by the places that they keep. */
export type DraftsByPlace = ReadonlyMap<Stored, Draft>

/**
 * Carries the change over to a list of stored blocks: what stays keeps its place, also where the format shows another
 * structure; what is new stands behind the block that it follows; what the format does not show stays beside what it
 * stands beside.
 */
export function changeInPlace (list: Draft, drafts: DraftsByPlace, change: BlockChange, how: ContentChange): void {
  new InPlace(drafts, change, how).apply(list)
}

/** Gives a list the structure of the wanted blocks. A block stays in its place if the format shows it where it is. */
export function rebuild (list: Draft, drafts: DraftsByPlace, change: BlockChange, how: ContentChange): void {
  const { matches: { kept, moved }, origins } = change
  const contents = new Contents(change, how)
  const build = (blocks: readonly ReadBlock[], parent: Draft): Draft[] => blocks.map((block) => {
    const before = kept.get(block)
    const origin = before && origins.get(before)
    const draft = origin && drafts.get(origin.stored)
    if (before === undefined || draft === undefined || draft.content === undefined || draft.parent !== parent) {
      const fresh = Draft.fresh(contents.fresh(block, before ?? moved.get(block)))
      fresh.setChildren(build(block.children, fresh))
      return fresh
    }
    draft.change(contents.merged(draft.content, before, block), contents.newId(block))
    draft.setChildren(build(block.children, draft))
    return draft
  })
  list.setChildren(build(change.wanted, list))
}

/** The contents and ids of blocks after the change. */
class Contents {
  readonly #change: BlockChange
  readonly #how: ContentChange

  constructor (change: BlockChange, how: ContentChange) {
    this.#change = change
    this.#how = how
  }

  /** The content of a block that stays. */
  merged (stored: TreeElement, read: ReadBlock, wanted: ReadBlock): TreeElement {
    if (read.shallow === wanted.shallow && this.#how !== 'all rewritten') return stored
    if (this.#how !== 'merged') return wanted.content
    return mergeContent(stored, read.content, wanted.content, this.#change.rules)
  }

  /** A new block. @param from the block that it was at another place */
  fresh (wanted: ReadBlock, from: ReadBlock | undefined): { content: TreeElement, isHolder: boolean, id: string } {
    const { origins } = this.#change
    const stored = from && origins.get(from)?.stored
    const { block: { id }, isHolder } = wanted
    const hasContent = from !== undefined && stored?.content !== undefined && !isHolder
    const content = hasContent ? this.merged(stored.content, from, wanted) : wanted.content
    const own = stored?.content === undefined ? undefined : idOf(stored.node)
    return { content, isHolder, id: this.#change.isGiven(id) ? id : own ?? id }
  }

  /** The id that the input gives to a block that stays. */
  newId ({ block: { id } }: ReadBlock): string | undefined {
    return this.#change.isGiven(id) ? id : undefined
  }
}

class InPlace {
  readonly #drafts: DraftsByPlace
  readonly #change: BlockChange
  readonly #contents: Contents
  /** Drafts of blocks that did not have a place of their own. */
  readonly #expanded = new Map<Block, Draft>()

  constructor (drafts: DraftsByPlace, change: BlockChange, how: ContentChange) {
    this.#drafts = drafts
    this.#change = change
    this.#contents = new Contents(change, how)
  }

  apply (list: Draft): void {
    this.#expandUnusual()
    for (const block of inOrder(this.#change.read)) this.#changeOne(block)
    removeHidden(list)
    this.#place(this.#change.wanted, list)
    list.settle()
  }

  /** Writes what is stored in an unusual way anew if any of it changes. */
  #expandUnusual (): void {
    const { read, origins, matches: { becomes } } = this.#change
    const unusual = new Map<Stored, boolean>()
    for (const block of inOrder(read)) {
      const origin = origins.get(block)
      if (origin === undefined || origin.stored.content !== undefined) continue
      const isUnchanged = becomes.get(block)?.deep === block.deep
      unusual.set(origin.stored, isUnchanged && unusual.get(origin.stored) !== false)
    }
    for (const [stored, isUnchanged] of unusual) if (!isUnchanged) this.#expand(stored)
  }

  #expand (stored: Stored): void {
    const { table, rules } = this.#change
    const draft = this.#drafts.get(stored)
    const inner = new Set<Block>()
    for (const block of stored.blocks) for (const child of block.children) inner.add(child)
    const write = (block: ReadBlock): Draft => {
      const { content, isHolder } = block
      const fresh = Draft.fresh({ content, isHolder, id: block.block.id }, block.children.map(write))
      this.#expanded.set(block.block, fresh)
      return fresh
    }
    const outer = stored.blocks.filter((block) => !inner.has(block))
    const parent = draft?.parent
    const at = draft === undefined ? undefined : parent?.children.indexOf(draft)
    if (at !== undefined) parent?.replace(at, at + 1, describeBlocks(outer, table, rules.keys).map(write))
  }

  #draftOf (read: ReadBlock | undefined): Draft | undefined {
    const origin = read && this.#change.origins.get(read)
    return origin && (this.#expanded.get(origin.block) ?? this.#drafts.get(origin.stored))
  }

  #changeOne (read: ReadBlock): void {
    const draft = this.#draftOf(read)
    if (draft === undefined) return
    draft.show()
    const wanted = this.#change.matches.becomes.get(read)
    if (wanted === undefined) draft.remove()
    else if (draft.content !== undefined) {
      draft.change(this.#contents.merged(draft.content, read, wanted), this.#contents.newId(wanted))
    }
  }

  /** Adds the new blocks. */
  #place (blocks: readonly ReadBlock[], parent: Draft): void {
    const { kept, moved } = this.#change.matches
    let places = parent.leading
    for (const block of blocks) {
      const before = kept.get(block)
      const known = this.#draftOf(before)
      if (known !== undefined) {
        if (known.content !== undefined) this.#place(block.children, known)
        places = placesAfter(known, parent)
        continue
      }
      const fresh = Draft.fresh(this.#contents.fresh(block, before ?? moved.get(block)))
      places.push(fresh)
      this.#place(block.children, fresh)
    }
  }
}

/**
 * Where to add blocks after another one. It can be nested deeper than the format shows; they stand on the level that
 * the format shows if nothing shown stands between.
 */
function placesAfter (draft: Draft, parent: Draft): Draft[] {
  let outer = draft
  while (outer.parent !== undefined && outer.parent !== parent && isLastShown(outer)) outer = outer.parent
  return outer.parent === parent ? outer.following : draft.following
}

function isLastShown (draft: Draft): boolean {
  const siblings = draft.parent?.children ?? []
  for (let i = siblings.length - 1; siblings[i] !== draft; i--) if (isVisible(siblings[i]!)) return false
  return true
}

function isVisible (draft: Draft): boolean {
  return (draft.isShown && !draft.isRemoved) || draft.children.some(isVisible)
}

/** Removes what the format does not show together with what it stands between, or stands within. */
function removeHidden (list: Draft): void {
  const all = inOrder(list.children)
  const isKept = ({ isShown, isRemoved }: Draft) => isShown && !isRemoved
  if (!all.some(({ isShown }) => isShown)) return
  const isAnyKept = all.some(isKept)
  const isNextKept = new Array<boolean>(all.length)
  let isNear = isAnyKept
  for (let i = all.length - 1; i >= 0; i--) {
    isNextKept[i] = isNear
    if (all[i]!.isShown) isNear = isKept(all[i]!)
  }
  isNear = isAnyKept
  all.forEach((draft, index) => {
    if (draft.isShown) isNear = isKept(draft)
    // Columns that become empty are removed at last.
    else if (!draft.isHolder && !draft.children.some(isVisible)) {
      if (draft.parent?.isRemoved === true || !(isNear || isNextKept[index])) draft.remove()
    }
  })
}
