import { ConversionFailure } from '../convert/conversion-failure.ts'
import { Busy, ContentInvalid, ContentTooLarge, ConversionTooSlow } from '../errors.ts'

/**
 * The HTTP error for the failure of a conversion. Any other error, and what is no fault of the request, stays as it is.
 */
export function conversionError (error: unknown): unknown {
  return error instanceof ConversionFailure ? httpErrorFor(error) : error
}

function httpErrorFor (failure: ConversionFailure): Error {
  switch (failure.reason) {
    case 'invalid': return new ContentInvalid()
    case 'busy': return new Busy()
    case 'deadline': return new ConversionTooSlow()
    case 'memory': return new ContentTooLarge()
    case 'cancelled':
    case 'error': return failure
  }
}
