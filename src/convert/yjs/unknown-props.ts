import { isWebAddress } from '../html/safe-url.ts'

/** What elements hold as text in a prop: formulas, diagrams and programs of editors that have blocks for them. */
const sourceProps = new Set(['text', 'code', 'source', 'latex', 'formula'])

/** What the props of an element say that the block table does not know. */
export interface UnknownProps {
  /** Text as it stands in the element: a program, a formula. */
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
