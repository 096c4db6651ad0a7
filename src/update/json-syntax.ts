/**
 * Levels of nesting up to which the text is checked here. Yjs writes the value again with JSON.stringify, whose stack
 * overflows at a few thousand levels.
 */
const maxOwnDepth = 500

/**
 * Whether JSON.parse accepts the text in `bytes[from, to)`, which must be valid UTF-8. Allocates nothing for ordinary
 * values.
 * @param strict rejects values nested more than 500 levels deep
 */
export function isJson (bytes: Uint8Array, from: number, to: number, strict = false): boolean {
  const check = new JsonCheck(bytes, from, to)
  const accepted = check.value(0)
  if (check.isTooDeep) return !strict && isParsed(bytes.subarray(from, to))
  if (!accepted) return false
  check.blanks()
  return check.at === to
}

/** JSON.parse handles any depth. */
function isParsed (text: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(text))
    return true
  } catch {
    return false
  }
}

/** A recursive descent over the grammar of RFC 8259. */
class JsonCheck {
  readonly #bytes: Uint8Array
  readonly #to: number
  #at: number
  #isTooDeep = false

  constructor (bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes
    this.#at = from
    this.#to = to
  }

  /** Offset of the next byte. */
  get at (): number { return this.#at }
  /** Whether `value` gave up because of the depth. */
  get isTooDeep (): boolean { return this.#isTooDeep }

  blanks (): void {
    while (this.#at < this.#to) {
      const byte = this.#bytes[this.#at]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  value (depth: number): boolean {
    if (depth > maxOwnDepth) {
      this.#isTooDeep = true
      return false
    }
    this.blanks()
    switch (this.peek()) {
      case 0x22: return this.text()
      case 0x7b: return this.members(depth, 0x7d, true)
      case 0x5b: return this.members(depth, 0x5d, false)
      case 0x74: return this.word('true')
      case 0x66: return this.word('false')
      case 0x6e: return this.word('null')
      default: return this.number()
    }
  }

  /** The next byte, or -1 at the end. */
  peek (): number {
    return this.#at < this.#to ? this.#bytes[this.#at]! : -1
  }

  word (word: string): boolean {
    if (this.#at + word.length > this.#to) return false
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at++] !== word.charCodeAt(i)) return false
    }
    return true
  }

  /** An object or an array, from its opening bracket to its closing one. */
  members (depth: number, close: number, named: boolean): boolean {
    this.#at++
    this.blanks()
    if (this.peek() === close) {
      this.#at++
      return true
    }
    while (true) {
      if (named && !this.memberName()) return false
      if (!this.value(depth + 1)) return false
      this.blanks()
      const next = this.peek()
      this.#at++
      if (next === close) return true
      if (next !== 0x2c) return false
    }
  }

  memberName (): boolean {
    this.blanks()
    if (this.peek() !== 0x22 || !this.text()) return false
    this.blanks()
    return this.#bytes[this.#at++] === 0x3a
  }

  text (): boolean {
    this.#at++
    while (this.#at < this.#to) {
      const byte = this.#bytes[this.#at++]!
      if (byte === 0x22) return true
      if (byte < 0x20) return false
      if (byte === 0x5c && !this.escape()) return false
    }
    return false
  }

  escape (): boolean {
    const byte = this.peek()
    this.#at++
    if (byte !== 0x75) return byte > 0 && '"\\/bfnrt'.includes(String.fromCharCode(byte))
    for (let i = 0; i < 4; i++) {
      const digit = this.peek() | 0x20
      this.#at++
      const isHex = (digit >= 0x30 && digit <= 0x39) || (digit >= 0x61 && digit <= 0x66)
      // The bit set above would also turn control characters into digits.
      if (!isHex || this.#bytes[this.#at - 1]! < 0x30) return false
    }
    return true
  }

  number (): boolean {
    if (this.peek() === 0x2d) this.#at++
    if (this.peek() === 0x30) this.#at++
    else if (!this.digits()) return false
    if (this.peek() === 0x2e) {
      this.#at++
      if (!this.digits()) return false
    }
    if ((this.peek() | 0x20) === 0x65) {
      this.#at++
      if (this.peek() === 0x2b || this.peek() === 0x2d) this.#at++
      return this.digits()
    }
    return true
  }

  digits (): boolean {
    const from = this.#at
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.#at++
    return this.#at > from
  }
}
