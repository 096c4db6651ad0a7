const MAX_CHARACTERS = 255

/**
 * Refuses a name that a store could not keep exactly: empty, longer than 255 characters (code points), or with a NUL
 * or half of a surrogate pair, which neither UTF-8 nor PostgreSQL's `text` can hold.
 * @throws RangeError
 */
export function assertDocumentName (name: string): void {
  if (name === '') throw new RangeError('The name of a document must not be empty')
  if (name.length > MAX_CHARACTERS && [...name].length > MAX_CHARACTERS) throw new RangeError(`The name of a document has at most ${MAX_CHARACTERS} characters`)
  if (/[\0\ud800-\udfff]/u.test(name)) throw new RangeError('The name of a document must be well-formed text without NUL')
}
