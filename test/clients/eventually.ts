import { setTimeout } from 'node:timers/promises'

/** How often the condition is tested, in ms. */
const pollMs = 5

/**
 * Resolves when the condition holds. For state that no event reports: inside a server, or of another process.
 * @throws after `timeoutMs`, which is long enough for a busy machine
 */
export async function eventually (holds: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`Not so after ${timeoutMs} ms: ${holds}`)
    await setTimeout(pollMs)
  }
}
