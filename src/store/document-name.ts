/** Code points. */
const maxCharacters = 255

/**
 * Rejects a name that a store cannot keep exactly: empty, longer than 255 characters (code points), or with a NUL or
 * half of a surrogate pair, which UTF-8 or PostgreSQL's `text` cannot hold.
 * @throws RangeError
 */
export function assertDocumentName (name: string): void {
  if (name === '') throw new RangeError('The name of a document must not be empty')
  if (name.length > maxCharacters && [...name].length > maxCharacters) throw new RangeError(`The name of a document has at most ${maxCharacters} characters`)
  if (/[\0\ud800-\udfff]/u.test(name)) throw new RangeError('The name of a document must be well-formed text without NUL')
}
