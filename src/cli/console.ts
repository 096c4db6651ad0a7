import type { Logger } from '../logging/logger.ts'
import { Progress } from './progress.ts'

/** Where the commands speak: results to stdout, everything about them to stderr. */
export const console = {
  say (line: string): void {
    process.stdout.write(`${line}\n`)
  },
  tell (line: string): void {
    process.stderr.write(`${line}\n`)
  },
  progress: (label: string, total: number): Progress => new Progress(process.stderr, label, total),
}

/** The stores' log, for a person at a terminal. */
export const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (_, message) => console.tell(`warning: ${message}`),
  error: (_, message) => console.tell(`error: ${message}`),
}
