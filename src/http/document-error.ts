import { ConversionFailure } from '../convert/conversion-failure.ts'
import { DocumentFailure } from '../documents/document-failure.ts'
import {
  Busy, ClientDisconnected, ConversionTooSlow, DocumentDamaged, DocumentNotConvertible, DocumentTooLarge,
  RoomNameInvalid, StoreUnavailable,
} from '../errors.ts'

/** The HTTP error for a document that could not be read or converted. Any other error stays as it is. */
export function documentError (error: unknown): unknown {
  if (error instanceof DocumentFailure) return httpErrorFor(error)
  return error instanceof ConversionFailure ? httpErrorForConversion(error) : error
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
