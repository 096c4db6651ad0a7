/** Text between two equal quotation marks. */
const quotes = /^(["']).*\1$/s

/** Whether a value has kept the quotation marks that a shell would remove, as with `docker run --env-file`. */
export function isQuoted (value: unknown): boolean {
  return Array.isArray(value) ? value.some(isQuoted) : typeof value === 'string' && quotes.test(value)
}

/** Explains quotation marks, as the rest of a sentence that begins with the name of the setting. */
export const quotedNote = 'is in quotation marks, which count as part of the value: docker run --env-file does not remove them'
