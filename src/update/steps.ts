/** Takes all steps at once. @returns the result of the last one */
export function lastOf<Result> (steps: Iterator<void, Result, void>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
