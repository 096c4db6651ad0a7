import { Moved } from '../workers/messages.ts'
import type { BlockTable } from './blocks/block-table.ts'
import { loadBlockTable } from './blocks/blocks-module.ts'
import { standardTable } from './blocks/standard-table.ts'
import { convert, type ConvertRequest } from './convert.ts'

export { describeError } from './thread-errors.ts'

let table: BlockTable = standardTable

/**
 * Loads the block table. Called once, when the thread starts.
 * @param context the address of the blocks module, or undefined
 * @throws InvalidBlocksModule
 */
export async function start (context: unknown): Promise<void> {
  table = await loadBlockTable(typeof context === 'string' ? context : undefined)
}

/** Converts one document in a worker thread. @param request from `Converter`, the only one to send tasks here */
export default function perform (request: unknown): Moved {
  const { input, ...options } = request as ConvertRequest
  // Decoders of text reject shared memory.
  const own = input.buffer instanceof SharedArrayBuffer ? new Uint8Array(input) : input
  const converted = convert({ input: own, ...options }, table)
  const { buffer } = converted.body
  return new Moved(converted, buffer instanceof ArrayBuffer ? [buffer] : [])
}
