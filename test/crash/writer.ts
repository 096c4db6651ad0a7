import type * as Y from 'yjs'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'

/** How a writer works. */
export interface Habits {
  /** Updates in flight at once */
  readonly ahead: number
  /** Maximum length of a usual insertion, in characters */
  readonly typed: number
  /** One insertion in so many is a paste of 150,000 characters, which is checked and stored on other paths */
  readonly pasteEvery: number
}

export const typist: Habits = { ahead: 30, typed: 8, pasteEvery: Infinity }
/** Fills the log so fast that compaction hardly pauses. */
export const flooder: Habits = { ahead: 20, typed: 3000, pasteEvery: 200 }

/** Writes to a document until its socket closes, and records what is acknowledged in the ledger. Resolves then. */
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
  // Acknowledgements from before the end can still be in the socket.
  await client.closed
}

function edit (text: Y.Text, random: Random, { typed, pasteEvery }: Habits): void {
  const at = random.below(text.length + 1)
  // A document that grows for hundreds of rounds would slow the clients down without testing anything new.
  const isLong = text.length > 300_000
  if (random.below(isLong ? 2 : 4) === 0) {
    text.delete(at, Math.min(text.length - at, 1 + random.below(isLong ? 4 * typed : typed)))
    return
  }
  const letter = String.fromCharCode(97 + random.below(26))
  text.insert(at, letter.repeat(random.below(pasteEvery) === 1 ? 150_000 : 1 + random.below(typed)))
}
