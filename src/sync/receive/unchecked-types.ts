import { manyTypes, type ScannedUpdate } from '../../update/scan-update.ts'

/**
 * Counts the shared types (elements, maps, texts) that a room has taken since the depth of its document was checked. A
 * single update of many types is checked by itself; without this count, many updates of a few types could nest
 * thousands of levels, and Yjs would overflow the stack of every browser that deletes the outermost one.
 */
export class UncheckedTypes {
  #count = 0

  /** The document can hold unchecked types: the next one that is added causes a check. */
  startUnchecked (): void { this.#count = manyTypes }

  /** Whether the document must be checked before the update is taken. */
  areTooManyWith ({ types }: ScannedUpdate): boolean {
    return types > 0 && this.#count + types > manyTypes
  }

  /** Counts an update that the room has taken. */
  add ({ types }: ScannedUpdate): void { this.#count += types }

  /**
   * Starts the count again at the beginning of a check of the whole document with this update: types that other clients
   * add meanwhile are counted, and do not each cause a check of their own.
   * @throws the error of the check; then the document counts as unchecked
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
