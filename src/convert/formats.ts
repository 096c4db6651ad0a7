/** What can be read. */
export type InputFormat = 'markdown' | 'html' | 'json' | 'yjs'

/** What can be written. */
export type OutputFormat = InputFormat | 'text'

const inputTypes = new Map<string, InputFormat>([
  ['text/markdown', 'markdown'],
  ['text/x-markdown', 'markdown'],
  // What curl and Python's requests say when nobody has told them otherwise.
  ['application/x-www-form-urlencoded', 'markdown'],
  ['application/vnd.yjs.doc', 'yjs'],
  ['application/octet-stream', 'yjs'],
  ['application/vnd.blocknote+json', 'json'],
  ['text/html', 'html'],
])

/** In the order in which a wildcard takes them. */
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

/** Every media type that `/api/convert/` reads and writes, for documentation. */
export const mediaTypes = { input: [...inputTypes.keys()], output: [...outputTypes.keys()] }

/** The format of a body by its Content-Type, parameters ignored; none is markdown. @returns undefined when it is not one of ours */
export function inputFormatOf (contentType: string | undefined): InputFormat | undefined {
  if (contentType === undefined || contentType.trim() === '') return 'markdown'
  return inputTypes.get(typeOf(contentType))
}

/** A format and the name under which it was asked for. */
export interface Negotiated { format: OutputFormat, mediaType: string }

interface Range { type: string, weight: number, order: number }

/**
 * Chooses the output by the Accept header (RFC 9110, 12.5.1): the most specific range decides a type's weight, the heaviest type wins,
 * then the one named first. No header is any type, which is Yjs.
 * @returns undefined when nothing we write is accepted
 */
export function negotiate (accept: string | undefined): Negotiated | undefined {
  const ranges = parseAccept(accept === undefined || accept.trim() === '' ? '*/*' : accept)
  let best: { mediaType: string, format: OutputFormat, range: Range } | undefined
  for (const [mediaType, format] of outputTypes) {
    const range = rangeFor(mediaType, ranges)
    if (range === undefined || range.weight === 0) continue
    const better = best === undefined || range.weight > best.range.weight || (range.weight === best.range.weight && range.order < best.range.order)
    if (better) best = { mediaType, format, range }
  }
  return best && { format: best.format, mediaType: best.mediaType }
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
    // A weight that is no number is no wish that could be met.
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
