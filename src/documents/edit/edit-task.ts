import type { BlockTable } from '../../convert/blocks/block-table.ts'
import { loadBlockTable } from '../../convert/blocks/blocks-module.ts'
import { standardTable } from '../../convert/blocks/standard-table.ts'
import { Moved } from '../../workers/messages.ts'
import { edit } from './edit.ts'
import type { EditRequest } from './edit-request.ts'

export { describeError } from './edit-errors.ts'

let table: BlockTable = standardTable

/**
 * Loads the block table. Called once, when the thread starts.
 * @param context the address of the blocks module, or undefined
 * @throws InvalidBlocksModule
 */
export async function start (context: unknown): Promise<void> {
  table = await loadBlockTable(typeof context === 'string' ? context : undefined)
}

/** Makes one edit in a worker thread. @param request from `DocumentEditor`, the only one to send tasks here */
export default function perform (request: unknown): Moved {
  const edited = edit(request as EditRequest, table)
  const buffer = edited.update?.buffer
  return new Moved(edited, buffer instanceof ArrayBuffer ? [buffer] : [])
}
