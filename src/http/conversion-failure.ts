import { InvalidContent } from '../convert/invalid-content.ts'
import { Busy, ContentInvalid, ContentTooLarge, ConversionTooSlow } from '../errors.ts'

/** What a conversion's failure means to the client. Matched by name, since routes know nothing of the pool behind the converter. */
export function conversionFailure (error: unknown): unknown {
  if (error instanceof InvalidContent) return new ContentInvalid()
  const { name } = error instanceof Error ? error : { name: '' }
  if (name === 'PoolBusy') return new Busy()
  if (name === 'PoolDeadline') return new ConversionTooSlow()
  if (name === 'PoolMemory') return new ContentTooLarge()
  return error
}
