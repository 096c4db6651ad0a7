/** Characters: a name has at most 255 (`assertDocumentName`), escapes make it longer, and user ids have no bound. */
const maxCharacters = 300

/**
 * Control and format characters, line separators and lone surrogates: terminals obey some, and editors break lines at
 * others.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * Makes a name from outside short and printable on one line: `\u{1b}` for an unprintable character, `…` for the rest.
 */
export function printable (text: string, limit: number = maxCharacters): string {
  // Cut first: a client can send kilobytes.
  const start = text.slice(0, limit)
  const shown = start.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
  return shown.length > limit || text.length > limit ? `${shown.slice(0, limit)}…` : shown
}
