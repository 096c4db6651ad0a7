import type { RecentUpdate } from '../save/recent-update.ts'

/** An update that another node has sent and has not reported as stored. */
export class AwaitedUpdate {
  #isStored = false
  #recent: RecentUpdate | undefined

  get isStored (): boolean { return this.#isStored }
  /** The merged update that has brought it to the clients; undefined: not sent out yet, or it held nothing new */
  get recent (): RecentUpdate | undefined { return this.#recent }

  markStored (): void { this.#isStored = true }
  sentOutIn (recent: RecentUpdate): void { this.#recent = recent }
}
