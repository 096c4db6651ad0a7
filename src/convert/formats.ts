/** A format that can be read. */
export type InputFormat = 'markdown' | 'html' | 'json' | 'yjs'

/** A format that can be written. */
export type OutputFormat = InputFormat | 'text'

const inputTypes = new Map<string, InputFormat>([
  ['text/markdown', 'markdown'],
  ['text/x-markdown', 'markdown'],
  // The default of curl and of Python's requests.
  ['application/x-www-form-urlencoded', 'markdown'],
  ['application/vnd.yjs.doc', 'yjs'],
  ['application/octet-stream', 'yjs'],
  ['application/vnd.blocknote+json', 'json'],
  ['text/html', 'html'],
])

/** A wildcard takes the first of them. */
const outputTypes = new Map<string, OutputFormat>([
  ['application/vnd.yjs.doc', 'yjs'],
  ['application/octet-stream', 'yjs'],
  ['application/vnd.blocknote+json', 'json'],
  ['application/json', 'json'],
  ['text/markdown', 'markdown'],
  ['text/x-markdown', 'markdown'],
  ['text/html', 'html'],
  ['text/plain', 'text'],
])

/**
 * The format of a body by its Content-Type without parameters; markdown if there is none.
 * @returns undefined for another type
 */
export function inputFormatOf (contentType: string | undefined): InputFormat | undefined {
  if (contentType === undefined || contentType.trim() === '') return 'markdown'
  return inputTypes.get(typeOf(contentType))
}

/** A format, and the media type under which the client accepts it. */
export interface Negotiated { format: OutputFormat, mediaType: string }

interface Range { type: string, weight: number, order: number }

/**
 * Chooses the output by the Accept header (RFC 9110, 12.5.1): the most specific range decides a type's weight, the
 * heaviest type wins, then the one named first. Without a header it is Yjs.
 * @returns undefined if none of our types is accepted
 */
export function negotiate (accept: string | undefined): Negotiated | undefined {
  const ranges = parseAccept(accept === undefined || accept.trim() === '' ? '*/*' : accept)
  let best: { mediaType: string, format: OutputFormat, range: Range } | undefined
  for (const [mediaType, format] of outputTypes) {
    const range = rangeFor(mediaType, ranges)
    if (range === undefined || range.weight === 0) continue
    if (best === undefined || precedes(range, best.range)) best = { mediaType, format, range }
  }
  return best && { format: best.format, mediaType: best.mediaType }
}

function precedes (a: Range, b: Range): boolean {
  return a.weight > b.weight || (a.weight === b.weight && a.order < b.order)
}

function rangeFor (mediaType: string, ranges: ReadonlyMap<string, Range>): Range | undefined {
  return ranges.get(mediaType) ?? ranges.get(mediaType.slice(0, mediaType.indexOf('/')) + '/*') ?? ranges.get('*/*')
}

function parseAccept (accept: string): Map<string, Range> {
  const ranges = new Map<string, Range>()
  accept.split(',').forEach((part, order) => {
    const [name = '', ...parameters] = part.split(';')
    const type = name.trim().toLowerCase()
    const given = parameters.map((parameter) => parameter.trim()).find((parameter) => /^q=/i.test(parameter))?.slice(2)
    const weight = given === undefined ? 1 : Number(given)
    // A range whose weight is not a number is ignored.
    if (type === '' || !(weight >= 0 && weight <= 1)) return
    if (!ranges.has(type)) ranges.set(type, { type, weight, order })
  })
  return ranges
}

/** The media type alone, in lower case. */
function typeOf (header: string): string {
  const end = header.indexOf(';')
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase()
}
