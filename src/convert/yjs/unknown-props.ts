import { isWebAddress } from '../html/safe-url.ts'

/** Props that hold text: formulas, diagrams and programs of editors with blocks for them. */
const sourceProps = new Set(['text', 'code', 'source', 'latex', 'formula'])

/** The props of an element that the block table does not know. */
interface UnknownProps {
  /** Text such as a program or a formula. */
  sources: string[]
  /** Addresses on the web. */
  addresses: string[]
  /** All other props. */
  rest: Record<string, unknown>
}

/** Sorts the attributes of an unknown element into what a reader would miss and the rest. */
export function readUnknownProps (attributes: Readonly<Record<string, unknown>>): UnknownProps {
  const found: UnknownProps = { sources: [], addresses: [], rest: Object.create(null) }
  for (const name in attributes) {
    const value = attributes[name]
    if (typeof value === 'string' && value !== '' && sourceProps.has(name)) found.sources.push(value)
    else if (typeof value === 'string' && isWebAddress(value)) found.addresses.push(value)
    else found.rest[name] = value
  }
  return found
}
