import type * as Y from 'yjs'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'

/** How a writer works. */
export interface Habits {
  /** Updates on their way at once */
  readonly ahead: number
  /** Characters of a usual insertion, at most */
  readonly typed: number
  /** One insertion in so many is a paste of 150,000 characters: checked and stored by other ways */
  readonly pasteEvery: number
}

export const typist: Habits = { ahead: 30, typed: 8, pasteEvery: Infinity }
/** Fills the log so fast that compaction hardly rests. */
export const flooder: Habits = { ahead: 20, typed: 3000, pasteEvery: 200 }

/** Writes into a document until its socket closes, and enters into the ledger what is acknowledged. Resolves then. */
export async function write (
  port: number,
  room: string,
  ledger: Ledger,
  random: Random,
  habits: Habits
): Promise<void> {
  const client = new AcknowledgedClient(port, room)
  client.onAcknowledged = (update) => { ledger.add(room, update) }
  await Promise.race([client.synced, client.closed])
  while (client.isOpen) {
    if (client.waiting < habits.ahead) edit(client.doc.getText('text'), random, habits)
    else await client.until(() => client.waiting < habits.ahead || !client.isOpen)
  }
  // What was acknowledged before the end may still be on its way through the socket.
  await client.closed
}

function edit (text: Y.Text, random: Random, { typed, pasteEvery }: Habits): void {
  const at = random.below(text.length + 1)
  // A document that grows for hundreds of rounds would slow the clients down, and test nothing new.
  const isLong = text.length > 300_000
  if (random.below(isLong ? 2 : 4) === 0) {
    text.delete(at, Math.min(text.length - at, 1 + random.below(isLong ? 4 * typed : typed)))
    return
  }
  const letter = String.fromCharCode(97 + random.below(26))
  text.insert(at, letter.repeat(random.below(pasteEvery) === 1 ? 150_000 : 1 + random.below(typed)))
}
