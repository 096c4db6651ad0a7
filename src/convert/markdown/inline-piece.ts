/** A piece of inline content on its way to markdown: text of equal marks, or one thing in it. */
export interface Piece {
  kind: 'text' | 'code' | 'break' | 'element'
  text: string
  /** In no order: their nesting is decided when they are written. */
  marks: Set<string>
  href?: string
  /** Replaces `text` if that would be ambiguous, as math between dollars can be. */
  html?: string
}
