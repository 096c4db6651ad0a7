/** From so many entries, or bytes of them, on a document takes no more aside: an operator is to look at them first. */
export const MAX_SET_ASIDE_ENTRIES = 1000
export const MAX_SET_ASIDE_BYTES = 64 << 20

/** Of one reason; most are an error's message. */
export const MAX_REASON_CHARACTERS = 500

/**
 * A document holds so much set aside already that it takes no more. What was to be set aside stays where it is, in the
 * log or the snapshot.
 */
export class SetAsideFull extends Error {
  override readonly name = 'SetAsideFull'
  readonly document: string

  constructor (document: string) {
    super(`Document ${JSON.stringify(document)} has no room for more updates set aside (${MAX_SET_ASIDE_ENTRIES} updates or ${MAX_SET_ASIDE_BYTES >> 20} MiB): remove them with y-provider discard-set-aside`)
    this.document = document
  }
}

/**
 * Asks only what is held so far: whatever comes with one snapshot was stored before, so that setting it aside takes no
 * more room, and a document that holds nothing can always be repaired, in one go.
 * @throws SetAsideFull
 */
export function assertRoomToSetAside (document: string, held: { readonly entries: number, readonly bytes: number }): void {
  if (held.entries >= MAX_SET_ASIDE_ENTRIES || held.bytes >= MAX_SET_ASIDE_BYTES) throw new SetAsideFull(document)
}

/** The reason as every store can keep it: well-formed text without control characters, not too long. */
export function keptReason (reason: string): string {
  return reason.slice(0, MAX_REASON_CHARACTERS).toWellFormed().replaceAll(/\p{Cc}+/gu, ' ')
}
