import type { Block } from './block.ts'

/**
 * The number of a numbered item: its `start`, or one more than the numbered item directly before it.
 * @param before the number of the sibling directly before it; undefined if that is no numbered item
 */
export function listNumber (block: Block, before: number | undefined): number {
  const start = block.props['start']
  return typeof start === 'number' && Number.isInteger(start) ? start : (before ?? 0) + 1
}
