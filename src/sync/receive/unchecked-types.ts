import { manyTypes, type ScannedUpdate } from '../../update/scan-update.ts'

/**
 * Counts the shared types (elements, maps, texts) that a room has taken since the depth of its document was last checked.
 * One update of many types is checked by itself; without this count, many updates of a few types each could nest
 * thousands of levels, and Yjs overflows the stack of every browser that deletes the outermost one.
 */
export class UncheckedTypes {
  #count = 0

  /** The document may hold types that nobody has checked: the next one that is added makes it be checked. */
  startUnchecked (): void { this.#count = manyTypes }

  /** Whether the document has to be checked before the update is taken. */
  areTooManyWith ({ types }: ScannedUpdate): boolean {
    return types > 0 && this.#count + types > manyTypes
  }

  /** Takes note of an update that the room has taken. */
  add ({ types }: ScannedUpdate): void { this.#count += types }

  /**
   * Counts anew from the start of a check of the whole document with this update: what others add meanwhile is counted,
   * and does not make each of them wait for a check of its own.
   * @throws what the check throws; then the document counts as unchecked
   */
  async whileChecking ({ types }: ScannedUpdate, check: () => Promise<void>): Promise<void> {
    // The update is added once it is taken.
    this.#count = -types
    try {
      await check()
    } catch (error) {
      this.startUnchecked()
      throw error
    }
  }
}
