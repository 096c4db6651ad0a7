/** The settings cannot be used. The message is one line that names each variable and what is wrong with it, and never holds a value. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings'
}
