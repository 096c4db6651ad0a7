import { Known, type PackedKnown } from './known.ts'
import { MalformedUpdate } from './malformed-update.ts'
import { scanUnchecked } from './scan-update.ts'

/**
 * State vector and delete set of several states of a document and of updates, all together. Updates that do not decode
 * are left out: no client can have applied them. Linear: for worker threads and commands.
 * @param states from `Known.encode` or `Known.pack`
 * @returns encoded (`Known.encode`); equal content has equal bytes
 * @throws MalformedUpdate for an encoded state that is none
 */
export function uniteKnown (
  states: ReadonlyArray<Uint8Array | PackedKnown>,
  updates: readonly Uint8Array[]
): Uint8Array {
  const united = new Known()
  for (const state of states) {
    united.addKnown(state instanceof Uint8Array ? Known.decode(state) : Known.unpack(state))
  }
  for (const update of updates) {
    try {
      united.add(scanUnchecked(update))
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
    }
  }
  return united.encode()
}
