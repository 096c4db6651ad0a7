import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { ConversionFailure } from '../../convert/conversion-failure.ts'
import { convert } from '../../convert/convert.ts'
import type { Edited, EditRequest } from './edit-request.ts'

/**
 * Makes the smallest update that an edit needs.
 * @throws ConversionFailure if the input cannot be read or merged
 * @throws BlockNotFound
 * @throws DamagedState
 */
export function edit (request: EditRequest, table: BlockTable): Edited {
  if (request.type === 'create') {
    const { body, dropped } = convert({ ...request, to: 'yjs' }, table)
    return { update: body, dropped }
  }
  throw new ConversionFailure('error', 'This edit is not supported')
}
