import { isMainThread, threadId } from 'node:worker_threads'
import { Moved } from '../../src/workers/messages.ts'

// A task module for the pool's tests.

/** An error with a class and a code of its own. */
export class OddNumber extends Error {
  override readonly name = 'OddNumber'
  readonly code = 'ODD'
}

/** The tasks that the module can do. */
export type SampleTask =
  | { do: 'echo', value: unknown }
  | { do: 'turn', value: number }
  | { do: 'fail' }
  | { do: 'die', flag?: SharedArrayBuffer }
  | { do: 'spin', started: SharedArrayBuffer, go: SharedArrayBuffer }
  | { do: 'hoard' }
  | { do: 'keep', bytes: number }
  | { do: 'context' }
  | { do: 'environment' }
  | { do: 'bytes', length: number }

let given: unknown
let turns = 0
let kept: Uint8Array | undefined

/** Describes an odd number by its message. */
export function describeError (error: unknown): string | undefined {
  return error instanceof OddNumber ? error.message : undefined
}

/** @param context `{ odd: true }` makes it fail */
export function start (context: unknown): void {
  given = context
  if (typeof context === 'object' && context !== null && 'odd' in context) throw new OddNumber('The context is odd')
}

/** Does a task. @param task a `SampleTask` */
export default function perform (task: unknown): unknown {
  const sample = task as SampleTask
  switch (sample.do) {
    case 'echo':
      return sample.value
    case 'turn':
      return { thread: threadId, turn: ++turns }
    case 'fail':
      throw new OddNumber('This number is odd')
    case 'die': {
      // With a flag it dies only the first time.
      if (sample.flag !== undefined && Atomics.exchange(new Int32Array(sample.flag), 0, 1) === 1) return 'survived'
      return process.exit(1)
    }
    case 'spin': {
      Atomics.store(new Int32Array(sample.started), 0, 1)
      Atomics.notify(new Int32Array(sample.started), 0)
      // Holds the thread until the test lets it go, or for ever.
      Atomics.wait(new Int32Array(sample.go), 0, 0)
      return 'went'
    }
    case 'hoard': {
      const hoard: number[][] = []
      for (;;) hoard.push(new Array<number>(100_000).fill(1))
    }
    case 'keep':
      kept = new Uint8Array(sample.bytes)
      return kept.length
    case 'context':
      return { given, isMainThread }
    case 'environment':
      return Object.keys(process.env)
    case 'bytes': {
      const bytes = new Uint8Array(sample.length).fill(7)
      return new Moved(bytes, [bytes.buffer])
    }
  }
}
