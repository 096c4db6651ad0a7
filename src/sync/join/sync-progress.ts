/** What a connection is owed while its client is being brought up to date. */
export class SyncProgress {
  #isInitialSync = false
  #owesAwareness = false
  #waitingStateVector: Uint8Array | undefined

  /** Whether the messages of the initial sync are on their way, in several turns of the event loop. */
  get isInitialSync (): boolean { return this.#isInitialSync }
  startInitialSync (): void { this.#isInitialSync = true }
  endInitialSync (): void { this.#isInitialSync = false }

  /** Whether presence has changed since the connection was sent any. */
  get owesAwareness (): boolean { return this.#owesAwareness }
  oweAwareness (): void { this.#owesAwareness = true }
  paidAwareness (): void { this.#owesAwareness = false }

  /** State vector of a step 1 that arrived while the one before it was still being answered. */
  get waitingStateVector (): Uint8Array | undefined { return this.#waitingStateVector }
  keepStateVector (stateVector: Uint8Array): void { this.#waitingStateVector = stateVector }

  /** @returns the waiting state vector; it is forgotten here */
  takeStateVector (): Uint8Array | undefined {
    const stateVector = this.#waitingStateVector
    this.#waitingStateVector = undefined
    return stateVector
  }
}
