/** Time after which a wait counts as failed, in ms: far more than the slowest machine needs. */
const defaultTimeoutMs = 120_000

/** The events of a client: a wait tests its condition again after each. */
export class Changes {
  readonly #looks = new Set<() => void>()

  /** Reports an event. */
  readonly note = (): void => { for (const look of [...this.#looks]) look() }

  /** Calls `look` after each event. @returns a function that stops it */
  watch (look: () => void): () => void {
    this.#looks.add(look)
    return () => { this.#looks.delete(look) }
  }

  /** As `when`, for this client alone. */
  async until (holds: () => boolean, timeoutMs = defaultTimeoutMs): Promise<void> {
    await when([{ changes: this }], holds, timeoutMs)
  }
}

/**
 * Resolves when the condition holds, tested now and after each event of one of the clients.
 * @throws after `timeoutMs`
 */
export function when (
  clients: ReadonlyArray<{ readonly changes: Changes }>,
  holds: () => boolean,
  timeoutMs = defaultTimeoutMs
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      clearTimeout(timer)
      for (const end of ends) end()
      if (error === undefined) resolve()
      else reject(error)
    }
    const look = (): void => {
      try {
        if (holds()) finish()
      } catch (error) {
        finish(error as Error) // whatever the test's condition throws
      }
    }
    const timer = setTimeout(() => { finish(new Error(`Not so after ${timeoutMs} ms: ${holds}`)) }, timeoutMs)
    const ends = clients.map(({ changes }) => changes.watch(look))
    look()
  })
}
