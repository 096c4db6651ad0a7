import { append } from '../append.ts'
import type { Element } from './element.ts'

/** Attributes that hold one or more addresses. */
const attributes = ['href', 'src', 'srcset', 'data', 'poster', 'cite', 'longdesc', 'background', 'action', 'formaction']

/** Attributes whose addresses no block shows, on elements that are read for their content. */
const unread = ['cite', 'longdesc', 'background', 'action', 'formaction']

/** The attributes of an element with an address that no block shows. */
export function unreadAddresses (node: Element): string[] {
  const found = unread.filter((name) => node.attributes[name] !== undefined && node.attributes[name] !== '')
  if (node.attributes['style']?.includes('url(') === true) found.push('style')
  return found
}

/** Every address within an element, in document order. */
export function addressesOf (node: Element): string[] {
  const found: string[] = []
  collect(node, found)
  return found
}

/** The first address of a `srcset`. */
export function firstOfSet (srcset: string | undefined): string | undefined {
  return candidates(srcset ?? '')[0]
}

function collect (node: Element, found: string[]): void {
  for (const name of attributes) {
    const value = node.attributes[name]
    if (value === undefined || value === '') continue
    if (name === 'srcset') append(found, candidates(value))
    else if (name !== 'data' || node.tag === 'object') found.push(value)
  }
  for (const child of node.children) if (typeof child !== 'string') collect(child, found)
}

/** `a.png 1x, b.png 2x`: an address ends at a blank, and can hold a comma. */
function candidates (srcset: string): string[] {
  return srcset
    .split(/\s+/)
    .map((part) => part.replace(/^,+/, '').replace(/(?<!,),+$/, ''))
    .filter((part) => part !== '' && !/^[\d.]+[wxh]$/.test(part))
}
