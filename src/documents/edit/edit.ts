import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { ConversionFailure } from '../../convert/conversion-failure.ts'
import { convert } from '../../convert/convert.ts'
import { editBlocks } from './edit-blocks.ts'
import type { Edited, EditRequest } from './edit-request.ts'

/**
 * Makes the smallest update that an edit needs.
 * @throws ConversionFailure if the input cannot be read or merged
 * @throws BlockNotFound
 * @throws DamagedState
 */
export function edit (request: EditRequest, table: BlockTable): Edited {
  switch (request.type) {
    case 'create': {
      const { body, dropped } = convert({ ...request, to: 'yjs' }, table)
      return { update: body, dropped }
    }
    case 'insert': return editBlocks(request, table)
    case 'replace': {
      const { from } = request
      if (from !== 'yjs') return editBlocks({ ...request, from }, table)
    }
  }
  throw new ConversionFailure('error', 'This edit is not supported')
}
