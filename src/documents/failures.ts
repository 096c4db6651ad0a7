import { DamagedDocument } from '../store/store.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { limitOf } from '../workers/pool-errors.ts'
import { DocumentFailure } from './document-failure.ts'

/** Throws the reason why a call of the store was rejected. @throws DocumentFailure always */
export function failStore (cause: unknown): never {
  if (cause instanceof DamagedDocument) throw new DocumentFailure('damaged', cause.message, { cause })
  if (cause instanceof RangeError) throw new DocumentFailure('name', cause.message, { cause })
  throw new DocumentFailure('unavailable', 'The store is unavailable', { cause })
}

/** Throws the reason why work on a stored document failed. @throws DocumentFailure, or the error of a bug */
export function failWork (cause: unknown): never {
  // An earlier version stored updates that do not decode; `y-provider repair` sets them aside.
  if (cause instanceof MalformedUpdate) throw new DocumentFailure('damaged', 'The document cannot be merged', { cause })
  const limit = limitOf(cause)
  if (limit === undefined) throw cause
  throw new DocumentFailure(limit, 'The document could not be merged', { cause })
}
