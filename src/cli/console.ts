import type { Logger } from '../logging/logger.ts'
import type { Output } from './output.ts'
import { Progress } from './progress.ts'

/** Prints results to one stream, and everything else to another. */
export class Console {
  /** Prints the warnings and errors of the stores, without details. */
  readonly logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (_, message) => { this.note(`warning: ${message}`) },
    error: (_, message) => { this.note(`error: ${message}`) },
  }

  readonly #out: Output
  readonly #err: Output

  /**
   * @param out receives the results
   * @param err receives everything else
   */
  constructor (out: Output, err: Output) {
    this.#out = out
    this.#err = err
  }

  /** Prints a line of the result. */
  print (line: string): void {
    this.#out.write(`${line}\n`)
  }

  /** Prints a line that is no part of the result: a note or an error. */
  note (line: string): void {
    this.#err.write(`${line}\n`)
  }

  /** Makes a progress bar for `total` steps. */
  progress (label: string, total: number): Progress {
    return new Progress(this.#err, label, total)
  }
}
