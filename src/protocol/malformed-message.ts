/** A message that does not follow its protocol. Its sender is closed with 1007. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}
