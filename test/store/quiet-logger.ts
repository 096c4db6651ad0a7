import type { Logger } from '../../src/logging/logger.ts'

const nothing = () => {}

/** A logger for tests that ignore the log. */
export const quiet: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
