import type { Logger } from '../../src/logging/logger.ts'

const nothing = () => {}

/** For tests that do not look at what is logged. */
export const quiet: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
