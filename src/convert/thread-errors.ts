import { InvalidBlocksModule } from './blocks/blocks-module.ts'
import { InvalidContent } from './conversion-failure.ts'

/** An error of a conversion thread whose class its caller has to know. */
interface ThreadError {
  readonly type: 'invalid-content' | 'invalid-blocks-module'
  readonly message: string
}

/** Describes an error in the thread. @returns undefined for an error of any other class */
export function describeError (error: unknown): ThreadError | undefined {
  if (error instanceof InvalidContent) return { type: 'invalid-content', message: error.message }
  if (error instanceof InvalidBlocksModule) return { type: 'invalid-blocks-module', message: error.message }
  return undefined
}

/** Makes the error again outside the thread. @param description from `describeError` */
export function reviveError (description: unknown): Error {
  const { type, message } = description as ThreadError // `convert-task.ts` passes on nothing else
  switch (type) {
    case 'invalid-content': return new InvalidContent(message)
    case 'invalid-blocks-module': return new InvalidBlocksModule(message)
  }
}
