import { Moved } from '../workers/messages.ts'
import type { BlockTable } from './blocks/block-table.ts'
import { loadBlockTable } from './blocks/blocks-module.ts'
import { convert, type ConvertRequest } from './convert.ts'
import { standardTable } from './blocks/standard-table.ts'

/** The pool's task module for conversions. */

let table: BlockTable = standardTable

/** @param context the address of the blocks module, or undefined */
export async function start (context: unknown): Promise<void> {
  table = await loadBlockTable(typeof context === 'string' ? context : undefined)
}

/** @param request from `Converter`, which is the only one to send tasks here */
export default function perform (request: unknown): Moved {
  const converted = convert(request as ConvertRequest, table)
  const { buffer } = converted.body
  return new Moved(converted, buffer instanceof ArrayBuffer ? [buffer] : [])
}
