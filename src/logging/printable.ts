/** A name has at most 255 characters (`assertDocumentName`); escapes make it longer, and ids of users have no bound of their own. */
const maxCharacters = 300

/** Control and format characters, separators of lines and halves of pairs: terminals obey some, and editors break lines at others. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** A name from outside as one short piece of one line: `\u{1b}` for what does not print, `…` for what is too long. */
export function printable (text: string, limit: number = maxCharacters): string {
  // Cut first: a client may send kilobytes.
  const start = text.slice(0, limit)
  const shown = start.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
  return shown.length > limit || text.length > limit ? `${shown.slice(0, limit)}…` : shown
}
