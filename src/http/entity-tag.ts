/** The entity tag of a document in a format. */
export const entityTagOf = (sequence: number, format: string): string => `"${sequence}-${format}"`

/**
 * Whether a header `If-None-Match` names this tag (RFC 9110, 13.1.2: weak comparison; `*` is every tag).
 * @param header undefined: there is none
 */
export function namesTag (header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((part) => {
    const named = part.trim()
    return named === '*' || named === tag || named === `W/${tag}`
  })
}

/**
 * The entity tag of a document after a write. It names no format: the text in a format may differ from what was
 * written, because others have edited it too, so no reader must get 304 for it.
 */
export const sequenceTagOf = (sequence: number): string => `"${sequence}"`
