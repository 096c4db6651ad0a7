/** A stream that a command writes to. */
export interface Output {
  readonly isTTY?: boolean
  write (text: string): unknown
}
