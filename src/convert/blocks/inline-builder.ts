import { type Inline, type InlineElement, isLink, isText, type Link, sameStyles, type Styles, type TextRun } from './block.ts'

/**
 * Builds inline content in the form that every reader returns: adjacent text with equal marks is one run, links hold
 * their runs, and a line break belongs to the run before it (Yjs stores it as an element, without marks of its own).
 */
export class InlineBuilder {
  readonly #content: Inline[] = []
  readonly #code: boolean
  /** Whether the last part can be extended; an inline element cannot. */
  #open = false

  /** @param code whether line breaks are characters like any other */
  constructor (code = false) {
    this.#code = code
  }

  /** Whether nothing was added. */
  get isEmpty (): boolean {
    return this.#content.length === 0
  }

  /** Adds text. @param href the address of its link */
  text (text: string, styles: Styles, href?: string): void {
    let rest = text
    if (!this.#code && rest.startsWith('\n')) {
      let breaks = 1
      while (rest[breaks] === '\n') breaks++
      this.#breakLine('\n'.repeat(breaks))
      rest = rest.slice(breaks)
    }
    if (rest !== '') this.#run(rest, styles, href)
  }

  /** Adds an element. */
  element (inline: InlineElement): void {
    this.#content.push(inline)
    this.#open = false
  }

  /** The content, which is not copied: the builder must not be used afterwards. */
  finish (): Inline[] {
    return this.#content
  }

  #breakLine (breaks: string): void {
    const last = this.#lastRun()
    if (last === undefined) this.#push({ type: 'text', text: breaks, styles: {} })
    else last.text += breaks
  }

  #run (text: string, styles: Styles, href: string | undefined): void {
    const last = this.#open ? this.#content[this.#content.length - 1] : undefined
    if (href === undefined) {
      if (last !== undefined && isText(last) && sameStyles(last.styles, styles)) last.text += text
      else this.#push({ type: 'text', text, styles })
    } else if (last !== undefined && isLink(last) && last.href === href) {
      const run = last.content[last.content.length - 1]
      if (run !== undefined && sameStyles(run.styles, styles)) run.text += text
      else last.content.push({ type: 'text', text, styles })
    } else {
      this.#push({ type: 'link', href, content: [{ type: 'text', text, styles }] })
    }
  }

  #push (inline: TextRun | Link): void {
    this.#content.push(inline)
    this.#open = true
  }

  #lastRun (): TextRun | undefined {
    const last = this.#open ? this.#content[this.#content.length - 1] : undefined
    if (last === undefined) return undefined
    if (isText(last)) return last
    return isLink(last) ? last.content[last.content.length - 1] : undefined
  }
}
