/**
 * Why a conversion failed, also as the metrics' label `reason`.
 * - `invalid`: the input is not what its media type says, or it is beyond the limits of a document
 * - `busy`: too many conversions wait
 * - `deadline`: it took longer than `ConverterOptions.deadlineMs`
 * - `memory`: it needs more memory than a worker thread has
 * - `cancelled`: the caller's signal aborted it
 * - `error`: anything else, such as a crash of the worker thread or a converter that is closed
 */
export type FailureReason = 'invalid' | 'busy' | 'deadline' | 'memory' | 'cancelled' | 'error'

/** A conversion that failed. Its `cause` is the error behind it, if there is one. */
export class ConversionFailure extends Error {
  override readonly name: string = 'ConversionFailure'
  readonly reason: FailureReason

  constructor (reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The input is not what its media type says, or it is beyond the limits of a document. */
export class InvalidContent extends ConversionFailure {
  override readonly name = 'InvalidContent'

  /** @param message never quotes the document */
  constructor (message: string) {
    super('invalid', message)
  }
}
