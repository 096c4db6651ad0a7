import { ConversionFailure } from '../convert/conversion-failure.ts'
import { Busy, ClientDisconnected, ContentInvalid, ContentTooLarge, ConversionTooSlow } from '../errors.ts'

/** The HTTP error for a conversion that failed. A crash of its thread, and any other error, stays as it is. */
export function conversionError (error: unknown): unknown {
  return error instanceof ConversionFailure ? httpErrorFor(error) : error
}

function httpErrorFor (failure: ConversionFailure): Error {
  switch (failure.reason) {
    // Only the log gets the reason: clients know this one sentence.
    case 'invalid': return new ContentInvalid({ cause: failure })
    case 'busy': return new Busy()
    case 'deadline': return new ConversionTooSlow()
    case 'memory': return new ContentTooLarge()
    case 'cancelled': return new ClientDisconnected()
    case 'error': return failure
  }
}
