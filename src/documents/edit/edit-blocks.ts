import type { Block } from '../../convert/blocks/block.ts'
import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { tidyColumns } from '../../convert/blocks/columns.ts'
import { validateBlocks } from '../../convert/blocks/validate-blocks.ts'
import { readBlocks, writeBlocks } from '../../convert/convert.ts'
import { Dropped } from '../../convert/dropped.ts'
import { defaultFragment } from '../../convert/yjs/blocks-to-update.ts'
import { nodesToBlocks } from '../../convert/yjs/update-to-blocks.ts'
import { type BlockChange, changeInPlace, rebuild } from './change-blocks.ts'
import { Draft } from './draft.ts'
import { DraftWriter } from './draft-writer.ts'
import { BlockNotFound } from './edit-failures.ts'
import type {
  BlockFormat, Edited, EditingClient, EditOptions, InsertPosition, InsertRequest, ReplaceRequest,
} from './edit-request.ts'
import { givenIds } from './given-ids.ts'
import { matchBlocks, originsOf } from './match-blocks.ts'
import { OpenDocument } from './open-document.ts'
import { describeBlocks, type ReadBlock } from './read-blocks.ts'
import { readStoredBlocks, type Stored, type StoredFragment } from './stored-blocks.ts'
import { group, idOf, TreeKeys } from './tree-keys.ts'
import { isTreeText, readTree, type TreeNode } from './tree.ts'
import { writeTree } from './write-tree.ts'

/** A request whose input are blocks. */
type BlockRequest = (ReplaceRequest & { readonly from: BlockFormat }) | InsertRequest

/**
 * Makes the blocks of a document those of the input, or inserts them.
 * @throws InvalidContent
 * @throws BlockNotFound
 * @throws DamagedState
 */
export function editBlocks (request: BlockRequest, table: BlockTable): Edited {
  const dropped = new Dropped()
  const wanted = readBlocks(request, table, dropped)
  const edit = new BlockEdit(request, table, dropped)
  const update = request.type === 'insert' ? edit.insert(wanted, request.position) : edit.replaceAll(wanted)
  return { update, dropped: dropped.list(), client: edit.client }
}

class BlockEdit {
  readonly #table: BlockTable
  readonly #dropped: Dropped
  readonly #format: EditOptions & { readonly from: BlockFormat }
  readonly #keys = new TreeKeys()
  readonly #document: OpenDocument
  readonly #fragmentName: string
  readonly #fragment: StoredFragment
  /** The ids that the input names. */
  readonly #given: ReadonlySet<string>
  #drafts = new Map<Stored, Draft>()

  constructor (request: BlockRequest, table: BlockTable, dropped: Dropped) {
    this.#table = table
    this.#dropped = dropped
    this.#format = request
    this.#fragmentName = request.fragment ?? defaultFragment
    this.#given = request.from === 'json' ? givenIds(request.input) : new Set()
    this.#document = new OpenDocument(request.state, request.client)
    this.#fragment = readStoredBlocks(readTree(this.#document.doc.getXmlFragment(this.#fragmentName)), table)
  }

  get client (): EditingClient { return this.#document.client }

  /** Replaces all blocks. */
  replaceAll (wanted: readonly Block[]): Uint8Array | undefined {
    const blocks = tidyColumns(this.#fragment.blocks, this.#table, new Dropped())
    return this.#rewrite(this.#fragment.children, blocks, this.#filled(wanted, blocks), (root) => {
      return { parent: root, from: 0, to: root.children.length }
    })
  }

  insert (wanted: readonly Block[], position: InsertPosition): Uint8Array | undefined {
    if ('replace' in position) return this.#replaceOne(wanted, position.replace)
    const root = this.#draft()
    const [parent, index] = this.#placeOf(root, position)
    const isInColumn = parent.content?.name === 'column'
    const blocks = isInColumn ? tidyColumns(wanted, this.#table, this.#dropped, true) : wanted
    const fresh = this.#describe(blocks).map(freshDraft)
    if (fresh.length === 0) return undefined
    parent.replace(index, index, fresh)
    return this.#write(new DraftWriter().write(root, this.#fragment))
  }

  /** Replaces one block with all that is in it. */
  #replaceOne (wanted: readonly Block[], id: string): Uint8Array | undefined {
    const target = find(this.#draft(), id)
    const { stored } = target
    if (stored === undefined) throw new BlockNotFound()
    // A column stays in its row.
    const places = target.content?.name === 'column' ? stored.children : [stored]
    const blocks = tidyColumns(places.flatMap((place) => place.blocks), this.#table, new Dropped())
    const isInColumn = target.content?.name === 'column' || target.parent?.content?.name === 'column'
    const tidy = tidyColumns(wanted, this.#table, this.#dropped, isInColumn)
    return this.#rewrite(places, blocks, isAlone(target) ? this.#filled(tidy, blocks) : tidy, (root) => {
      const draft = find(root, id)
      if (draft.content?.name === 'column') return { parent: draft, from: 0, to: draft.children.length }
      const parent = draft.parent ?? root
      const from = parent.children.indexOf(draft)
      return { parent, from, to: from + 1 }
    })
  }

  /**
   * Rewrites neighbouring blocks. The first way that gives what the input says is taken; the last one always does.
   * @param locate finds the blocks in a new draft
   */
  #rewrite (
    places: readonly Stored[],
    blocks: readonly Block[],
    wanted: readonly Block[],
    locate: (root: Draft) => { parent: Draft, from: number, to: number }
  ): Uint8Array | undefined {
    const change = this.#compare(places, blocks, wanted)
    if (change === undefined) return undefined
    const ways = [
      (list: Draft) => changeInPlace(list, this.#drafts, change, 'merged'),
      (list: Draft) => changeInPlace(list, this.#drafts, change, 'rewritten'),
      (list: Draft) => rebuild(list, this.#drafts, change, 'rewritten'),
      (list: Draft) => rebuild(list, this.#drafts, change, 'all rewritten'),
    ]
    for (const [index, apply] of ways.entries()) {
      const root = this.#draft()
      const { parent, from, to } = locate(root)
      const list = Draft.list(parent.children.slice(from, to))
      apply(list)
      const { children } = list
      parent.replace(from, to, children)
      const writer = new DraftWriter()
      const nodes = writer.write(root, this.#fragment)
      const isLast = index === ways.length - 1
      if (isLast || this.#isRead(writer.nodesOf(children), change.wanted)) return this.#write(nodes)
    }
    return undefined
  }

  /** Compares what the input's format says before and after. @returns undefined if it is the same */
  #compare (places: readonly Stored[], blocks: readonly Block[], wanted: readonly Block[]): BlockChange | undefined {
    const isGiven = (id: string) => this.#given.has(id)
    const read = this.#describe(this.#roundTrip(blocks))
    const after = this.#describe(wanted)
    if (this.#keyOf(read) === this.#keyOf(after)) return undefined
    return {
      read,
      wanted: after,
      matches: matchBlocks(read, after, isGiven),
      origins: originsOf(places, read, this.#table, this.#keys),
      isGiven,
      table: this.#table,
      rules: { keys: this.#keys, contentOf: (name) => this.#contentOf(name) },
    }
  }

  #contentOf (name: string): 'inline' | 'code' | 'none' | 'table' | undefined {
    const spec = this.#table.blocks.get(name)
    return spec?.code === true ? 'code' : spec?.content
  }

  /** What remains of blocks in the input's format. */
  #roundTrip (blocks: readonly Block[]): Block[] {
    if (this.#format.from === 'json') return validateBlocks(blocks, this.#table, new Dropped())
    const input = writeBlocks(blocks, { ...this.#format, to: this.#format.from }, this.#table, new Dropped())
    return readBlocks({ ...this.#format, input }, this.#table, new Dropped())
  }

  /** Whether stored nodes are the wanted blocks in the input's format. */
  #isRead (nodes: readonly TreeNode[], wanted: readonly ReadBlock[]): boolean {
    const found = this.#keyOf(this.#read(nodes))
    if (found === this.#keyOf(wanted)) return true
    // Some content reads otherwise once it was written, such as blanks at edges.
    return found === this.#keyOf(this.#describe(this.#roundTrip(wanted.map(({ block }) => block))))
  }

  /** Reads stored nodes in the input's format. */
  #read (nodes: readonly TreeNode[]): ReadBlock[] {
    const root = { name: group, attributes: {}, children: [...nodes] }
    const blocks = nodesToBlocks([root], this.#table, new Dropped())
    return this.#describe(this.#roundTrip(tidyColumns(blocks, this.#table, new Dropped())))
  }

  #describe (blocks: readonly Block[]): ReadBlock[] {
    return describeBlocks(blocks, this.#table, this.#keys)
  }

  /** Equal for equal blocks with equal ids, as far as the input names them. */
  #keyOf (blocks: readonly ReadBlock[]): string {
    const idsOf = ({ block, children }: ReadBlock): string[] => {
      return [this.#given.has(block.id) ? block.id : '', ...children.flatMap(idsOf)]
    }
    const ids = this.#given.size === 0 ? [] : blocks.map((block) => idsOf(block).join(' '))
    return `${blocks.map(({ deep }) => deep).join(' ')}\n${ids.join('\n')}`
  }

  #draft (): Draft {
    this.#drafts = new Map()
    return Draft.of(this.#fragment, (stored, draft) => this.#drafts.set(stored, draft))
  }

  #write (nodes: readonly TreeNode[]): Uint8Array | undefined {
    const fragment = this.#document.doc.getXmlFragment(this.#fragmentName)
    return this.#document.edit((transaction) => writeTree(transaction, fragment, this.#fragment.nodes, nodes))
  }

  /** The list and the index at which blocks are inserted. */
  #placeOf (root: Draft, position: Exclude<InsertPosition, { replace: string }>): [Draft, number] {
    if ('at' in position) {
      const end = root.children.length
      if (position.at === 'start') return [root, 0]
      // The empty paragraph that editors keep below everything stays there.
      const last = root.children[end - 1]
      return [root, last !== undefined && isEmptyParagraph(last) ? end - 1 : end]
    }
    const isBefore = 'before' in position
    const target = find(root, isBefore ? position.before : position.after)
    // Beside a column there is no place for blocks, only beside its row.
    const sibling = target.content?.name === 'column' ? target.parent ?? target : target
    const parent = sibling.parent ?? root
    return [parent, parent.children.indexOf(sibling) + (isBefore ? 0 : 1)]
  }

  /** An editor needs a block for its cursor: an empty paragraph replaces the last block. */
  #filled (wanted: readonly Block[], before: readonly Block[]): readonly Block[] {
    if (wanted.length > 0 || this.#roundTrip(before).length === 0) return wanted
    return validateBlocks([{ type: 'paragraph' }], this.#table, new Dropped())
  }
}

/** Finds a block. @throws BlockNotFound */
function find (root: Draft, id: string): Draft {
  const stack = [root]
  for (let draft = stack.pop(); draft !== undefined; draft = stack.pop()) {
    if (draft.stored !== undefined && idOf(draft.stored.node) === id) return draft
    for (const child of draft.children) stack.push(child)
  }
  throw new BlockNotFound()
}

function freshDraft ({ block: { id }, content, isHolder, children }: ReadBlock): Draft {
  return Draft.fresh({ content, isHolder, id }, children.map(freshDraft))
}

/** Whether nothing else is in the list of a block, which must not become empty. */
function isAlone ({ parent }: Draft): boolean {
  return parent?.children.length === 1 && parent.parent === undefined
}

function isEmptyParagraph ({ content, children }: Draft): boolean {
  const isEmpty = content?.children.every((node) => isTreeText(node) && node.runs.length === 0)
  return content?.name === 'paragraph' && isEmpty === true && children.length === 0
}
