/** Whether this is the long run (`make test-long`): the same tests with more rounds, more clients and longer waits. */
export const isLong = process.env['TEST_LONG'] === '1'

/** A quantity of a test: the first in the usual run, the second in the long one. */
export const inLongRun = (usual: number, long: number): number => isLong ? long : usual
