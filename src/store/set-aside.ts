/** Updates set aside from which a document accepts no more, until an operator has looked at them. */
export const maxSetAsideEntries = 1000
/** Bytes of updates set aside from which a document accepts no more. */
export const maxSetAsideBytes = 64 << 20

/** Characters of a reason; most reasons are an error's message. */
const maxReasonCharacters = 500

/** A document accepts no more updates set aside. They stay where they are, in the log or the snapshot. */
export class SetAsideFull extends Error {
  override readonly name = 'SetAsideFull'
  readonly document: string

  constructor (document: string) {
    super(`Document ${JSON.stringify(document)} has no room for more updates set aside (${maxSetAsideEntries} updates or ${maxSetAsideBytes >> 20} MiB): remove them with y-provider discard-set-aside`)
    this.document = document
  }
}

/**
 * Checks that a document has room for more updates set aside. Only `held` counts, not the new updates: they were stored
 * before and take no additional room, and a document without updates set aside can always be repaired at once.
 * @throws SetAsideFull
 */
export function assertRoomToSetAside (
  document: string,
  held: { readonly entries: number, readonly bytes: number }
): void {
  if (held.entries >= maxSetAsideEntries || held.bytes >= maxSetAsideBytes) throw new SetAsideFull(document)
}

/** A reason as every store can keep it: shortened well-formed text without control characters. */
export function keptReason (reason: string): string {
  return reason.slice(0, maxReasonCharacters).toWellFormed().replaceAll(/\p{Cc}+/gu, ' ')
}
