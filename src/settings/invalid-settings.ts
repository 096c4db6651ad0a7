/** The settings are invalid. The message is one line that names each variable and its fault, and contains no secret. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings'
}
