import type { InsertPosition } from '../documents/edit/edit-request.ts'
import { PositionInvalid } from '../errors.ts'

/** The query parameters that name a place in a document. */
export interface PositionQuery {
  readonly position?: 'start' | 'end'
  readonly before?: string
  readonly after?: string
  readonly replace?: string
}

/**
 * The place that a request names.
 * @returns undefined if it names none
 * @throws PositionInvalid if it names several
 */
export function insertPositionOf ({ position, before, after, replace }: PositionQuery): InsertPosition | undefined {
  const named: InsertPosition[] = []
  if (position !== undefined) named.push({ at: position })
  if (before !== undefined) named.push({ before })
  if (after !== undefined) named.push({ after })
  if (replace !== undefined) named.push({ replace })
  if (named.length > 1) throw new PositionInvalid()
  return named[0]
}
