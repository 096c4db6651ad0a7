import { describeError as describeConversionError, reviveError as reviveConversionError } from '../../convert/thread-errors.ts'
import { BlockNotFound, DamagedState } from './edit-failures.ts'

/** An error of an editing thread whose class its caller has to know. */
type EditError = { readonly edit: 'block-not-found' | 'damaged-state' } | { readonly conversion: unknown }

/** Describes an error in the thread. @returns undefined for an error of any other class */
export function describeError (error: unknown): EditError | undefined {
  if (error instanceof BlockNotFound) return { edit: 'block-not-found' }
  if (error instanceof DamagedState) return { edit: 'damaged-state' }
  const conversion = describeConversionError(error)
  return conversion && { conversion }
}

/** Makes the error again outside the thread. @param description from `describeError` */
export function reviveError (description: unknown): Error {
  const error = description as EditError // `edit-task.ts` passes on nothing else
  if ('conversion' in error) return reviveConversionError(error.conversion)
  return error.edit === 'block-not-found' ? new BlockNotFound() : new DamagedState()
}
