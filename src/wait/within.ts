/**
 * Waits for a promise, at most `ms`. A late promise goes on; its outcome is ignored.
 * @param whenLate returns the value to resolve with after `ms`, or throws
 */
export async function within<T> (promise: Promise<T>, ms: number, whenLate: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, ms) }).then(whenLate)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
