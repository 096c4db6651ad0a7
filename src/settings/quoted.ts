/** Text between two quotation marks of a kind. */
const quotes = /^(["']).*\1$/s

/** Whether a value kept the quotation marks that a shell would have removed, as `docker run --env-file` does. */
export const isQuoted = (value: unknown): boolean => Array.isArray(value) ? value.some(isQuoted) : typeof value === 'string' && quotes.test(value)

/** Why a quoted value is not what was meant, to follow the name of the setting. */
export const quotedNote = 'is in quotation marks, which count as part of the value: docker run --env-file does not remove them'
