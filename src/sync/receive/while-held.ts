import type { Connection } from '../connection.ts'

/** A room that stays open while a message for it is processed. */
export interface Keeper {
  /** The room stays open until a matching `release`, even if everybody leaves. */
  keep (): void
  release (): void
}

/**
 * Processes a message in several turns of the event loop. Further messages of the connection wait, and the room stays
 * open.
 * @param failed called with the error if `work` rejects
 */
export function whileHeld (
  keeper: Keeper,
  connection: Connection,
  work: () => Promise<void>,
  failed: (error: unknown) => void
): void {
  connection.hold()
  keeper.keep()
  work()
    .catch(failed)
    .finally(() => {
      connection.resume()
      keeper.release()
    })
}
