import { ConversionFailure } from '../convert/conversion-failure.ts'
import { DocumentFailure } from '../documents/document-failure.ts'
import { BlockNotFound as NoSuchBlock, DamagedState } from '../documents/edit/edit-failures.ts'
import {
  BlockNotFound, Busy, ClientDisconnected, ContentTooLarge, ConversionTooSlow, DocumentChanged, DocumentDamaged,
  DocumentDeleted, DocumentExists, DocumentFull, DocumentNotConvertible, DocumentNotFound, DocumentTooLarge,
  RoomNameInvalid, StoreUnavailable, UpdateStale,
} from '../errors.ts'
import { conversionError } from './conversion-error.ts'

/** The HTTP error for a document that could not be read or converted. Any other error stays as it is. */
export function documentError (error: unknown): unknown {
  if (error instanceof DocumentFailure) return httpErrorFor(error)
  return error instanceof ConversionFailure ? httpErrorForConversion(error) : error
}

/** The HTTP error for a write that failed. Any other error stays as it is. */
export function writeError (error: unknown): unknown {
  if (error instanceof DocumentFailure) {
    return error.reason === 'memory' ? new ContentTooLarge({ cause: error }) : httpErrorFor(error)
  }
  if (error instanceof NoSuchBlock) return new BlockNotFound()
  if (error instanceof DamagedState) return new DocumentDamaged({ cause: error })
  return conversionError(error)
}

function httpErrorFor (failure: DocumentFailure): Error {
  const options = { cause: failure.cause }
  switch (failure.reason) {
    case 'name': return new RoomNameInvalid(options)
    case 'damaged': return new DocumentDamaged(options)
    case 'unavailable': return new StoreUnavailable(options)
    case 'busy': return new Busy(options)
    case 'deadline': return new ConversionTooSlow(options)
    case 'memory': return new DocumentTooLarge(options)
    case 'cancelled': return new ClientDisconnected(options)
    case 'absent': return new DocumentNotFound()
    case 'deleted': return new DocumentDeleted()
    case 'exists': return new DocumentExists()
    case 'changed': return new DocumentChanged()
    case 'full': return new DocumentFull({ cause: failure })
    case 'stale': return new UpdateStale()
    // `answerFailedWrite` has answered it, with what would be lost.
    case 'lossy': return failure
  }
}

function httpErrorForConversion (failure: ConversionFailure): Error {
  const options = { cause: failure }
  switch (failure.reason) {
    case 'invalid': return new DocumentNotConvertible(options)
    case 'busy': return new Busy(options)
    case 'deadline': return new ConversionTooSlow(options)
    case 'memory': return new DocumentTooLarge(options)
    case 'cancelled': return new ClientDisconnected(options)
    case 'error': return failure
  }
}
