/**
 * A reading position in a buffer: the few lib0 encodings that a load generator needs, without lib0's allocation per
 * value.
 */
export class Cursor {
  readonly bytes: Uint8Array
  at: number

  constructor (bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  byte (): number {
    const value = this.bytes[this.at++]
    if (value === undefined) throw new RangeError('A message ends in the middle of a value.')
    return value
  }

  /** lib0 `readVarUint`: seven bits at a time, lowest first. */
  varUint (): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
  }

  /** Skips a length and that many bytes. @returns where they began */
  skipBytes (): number {
    const length = this.varUint()
    const start = this.at
    this.at += length
    if (this.at > this.bytes.length) throw new RangeError('A message ends in the middle of a value.')
    return start
  }
}

/** Appends a lib0 varUint to a list of bytes. */
export function pushVarUint (bytes: number[], value: number): void {
  while (value >= 0x80) {
    bytes.push((value % 0x80) | 0x80)
    value = Math.floor(value / 0x80)
  }
  bytes.push(value)
}

/** Appends a lib0 varString to a list of bytes. */
export function pushVarString (bytes: number[], text: string): void {
  const encoded = Buffer.from(text)
  pushVarUint(bytes, encoded.length)
  bytes.push(...encoded)
}

/** A lib0 varUint8Array after some leading bytes. */
export function prefixed (head: number[], payload: Uint8Array): Uint8Array {
  const bytes = head.slice()
  pushVarUint(bytes, payload.length)
  return Buffer.concat([Buffer.from(bytes), payload])
}
