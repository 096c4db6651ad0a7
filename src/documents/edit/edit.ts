import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { convert } from '../../convert/convert.ts'
import { copyDocument } from './copy-document.ts'
import { editBlocks } from './edit-blocks.ts'
import type { CreateRequest, Edited, EditRequest, ReplaceRequest } from './edit-request.ts'
import { checkDocument, mergeUpdate } from './merge-update.ts'
import { replaceDocument } from './replace-document.ts'

/**
 * Makes the smallest update that an edit needs.
 * @throws ConversionFailure if the input cannot be read or merged
 * @throws BlockNotFound
 * @throws DamagedState
 */
export function edit (request: EditRequest, table: BlockTable): Edited {
  switch (request.type) {
    case 'create': return create(request, table)
    case 'replace': return replace(request, table)
    case 'insert': return editBlocks(request, table)
    case 'merge': return { update: mergeUpdate(request.state, request.input), dropped: [] }
    case 'copy': return { update: copyDocument(request.state, request.withoutComments === true), dropped: [] }
  }
}

function create (request: CreateRequest, table: BlockTable): Edited {
  if (request.from === 'yjs') {
    checkDocument(request.input)
    return { update: request.input, dropped: [] }
  }
  const { body, dropped } = convert({ ...request, to: 'yjs' }, table)
  return { update: body, dropped }
}

function replace (request: ReplaceRequest, table: BlockTable): Edited {
  const { from, state, input } = request
  if (from !== 'yjs') return editBlocks({ ...request, from }, table)
  return { update: replaceDocument(state, input), dropped: [] }
}
