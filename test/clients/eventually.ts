import { setTimeout } from 'node:timers/promises'

/** How often the condition is looked at, in ms. */
const pollMs = 5

/**
 * Resolves when the condition holds. For what no event reports: the state inside a server, or of another process.
 * @throws after `timeoutMs`, which leaves a busy machine time
 */
export async function eventually (holds: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`Not so after ${timeoutMs} ms: ${holds}`)
    await setTimeout(pollMs)
  }
}
