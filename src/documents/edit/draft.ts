import type { Stored, StoredFragment } from './stored-blocks.ts'
import type { TreeElement } from './tree.ts'

/** What a new block of a draft is. */
export interface NewBlock {
  readonly content: TreeElement
  /** Whether it is an element that holds only blocks, such as a column. */
  readonly isHolder: boolean
  /** It gets another id if this one is in use. */
  readonly id: string
}

/** A block of a document that is being changed, or a list of blocks. */
export class Draft {
  /** The place in the document that it keeps; undefined for a new block and for a list. */
  readonly stored: Stored | undefined
  readonly isHolder: boolean
  /** New blocks that `settle` adds before its first child, and after itself. */
  readonly leading: Draft[] = []
  readonly following: Draft[] = []
  #content: TreeElement | undefined
  #id: string | undefined
  #children: readonly Draft[] = []
  #parent: Draft | undefined
  #isShown = false
  #isRemoved = false

  private constructor (stored: Stored | undefined, isHolder: boolean, content?: TreeElement, id?: string) {
    this.stored = stored
    this.isHolder = isHolder
    this.#content = content
    this.#id = id
  }

  /** A list of blocks. */
  static list (children: readonly Draft[]): Draft {
    const list = new Draft(undefined, true)
    list.setChildren(children)
    return list
  }

  /** Drafts the whole fragment. @param note called with each stored child and its draft */
  static of ({ children }: StoredFragment, note: (stored: Stored, draft: Draft) => void): Draft {
    const draftOf = (stored: Stored): Draft => {
      const draft = new Draft(stored, stored.isHolder, stored.content)
      draft.setChildren(stored.children.map(draftOf))
      note(stored, draft)
      return draft
    }
    return Draft.list(children.map(draftOf))
  }

  /** A new block. */
  static fresh ({ content, isHolder, id }: NewBlock, children: readonly Draft[] = []): Draft {
    const draft = new Draft(undefined, isHolder, content, id)
    draft.#isShown = true
    draft.setChildren(children)
    return draft
  }

  /** Its content; undefined for a list, and for what stays as it is stored. */
  get content (): TreeElement | undefined { return this.#content }
  /** The id that it shall have; undefined: the one that it has. */
  get id (): string | undefined { return this.#id }
  get children (): readonly Draft[] { return this.#children }
  get parent (): Draft | undefined { return this.#parent }
  /** Whether the input's format shows it. */
  get isShown (): boolean { return this.#isShown }
  get isRemoved (): boolean { return this.#isRemoved }

  /** Notes that the input's format shows it. */
  show (): void { this.#isShown = true }

  /** Notes that `settle` shall remove it. */
  remove (): void { this.#isRemoved = true }

  /** Changes its content. @param id a new id, if it gets one */
  change (content: TreeElement, id: string | undefined): void {
    this.#content = content
    this.#id = id ?? this.#id
  }

  /** Gives it other children. */
  setChildren (children: readonly Draft[]): void {
    this.#children = children
    for (const child of children) child.#parent = this
  }

  /** Puts others in the place of some children. */
  replace (from: number, to: number, others: readonly Draft[]): void {
    this.setChildren([...this.#children.slice(0, from), ...others, ...this.#children.slice(to)])
  }

  /** Removes what is to be removed, whose children take its place, and adds the new blocks. */
  settle (): void {
    const settled: Draft[] = []
    const add = (drafts: readonly Draft[]): void => {
      for (const draft of drafts) {
        draft.settle()
        for (const each of draft.isRemoved ? draft.children : tidied(draft)) settled.push(each)
        add(draft.following)
      }
    }
    add(this.leading)
    add(this.#children)
    this.setChildren(settled)
  }
}

/** A column needs a block, and a row of columns two of them. The rest takes the place of what has too few. */
function tidied (draft: Draft): readonly Draft[] {
  const isColumns = draft.content?.name === 'columnList'
  if (!draft.isHolder || draft.children.length > (isColumns ? 1 : 0)) return [draft]
  return draft.children.flatMap((child) => child.children)
}
