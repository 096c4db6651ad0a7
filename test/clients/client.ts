import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { ClientRecord } from './record.ts'
import type { Changes } from './changes.ts'
import type { Owner } from './owner.ts'

/** A client as applications use it, over any provider, and everything that has happened to it so far. */
export interface Client {
  readonly doc: Y.Doc
  readonly awareness: Awareness
  readonly record: ClientRecord
  readonly changes: Changes
  readonly text: Y.Text
  isSynced (): boolean
  /** Hocuspocus: updates that the server has not acknowledged; y-websocket does not count them: 0 */
  unsyncedChanges (): number
  /** Whether the client would reconnect by itself. */
  wantsToConnect (): boolean
  /** Sends another ticket on the open connection, as a page does. Resolves once it is sent. */
  renew (ticket: string): Promise<void>
  /** Resolves when `check` holds, tested after each event of this client. */
  until (check: () => boolean): Promise<void>
  /** Resolves when the client is in sync with the server. */
  synced (): Promise<void>
  destroy (): void
}

/** The part that differs between providers. */
type Provided = Pick<Client, 'isSynced' | 'unsyncedChanges' | 'wantsToConnect' | 'renew' | 'destroy'>

/** Makes a client from a provider; it ends with the test. */
export function completeClient (
  t: Owner,
  record: ClientRecord,
  doc: Y.Doc,
  awareness: Awareness,
  provided: Provided
): Client {
  doc.on('update', record.look)
  awareness.on('change', record.look)
  let isDestroyed = false
  const destroy = (): void => {
    if (isDestroyed) return
    isDestroyed = true
    provided.destroy()
    awareness.destroy()
  }
  t.teardown(destroy)
  const { changes } = record
  const until = (check: () => boolean): Promise<void> => changes.until(check)
  return { ...provided, doc, awareness, record, changes, text: doc.getText('t'), until, synced: () => until(provided.isSynced), destroy }
}

/** Resolves when all are in sync with the server. */
export async function synced (...clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.synced()))
}
