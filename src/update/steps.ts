/** Takes all steps at once. @returns what the last one has found */
export function lastOf<Result> (steps: Iterator<void, Result, void>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
