import type { Block } from './block.ts'

/**
 * The number that a numbered item shows: its `start`, or one more than the numbered item right before it.
 * @param before the number of the sibling right before it; undefined when that is no numbered item
 */
export function listNumber (block: Block, before: number | undefined): number {
  const start = block.props['start']
  return typeof start === 'number' && Number.isInteger(start) ? start : (before ?? 0) + 1
}
