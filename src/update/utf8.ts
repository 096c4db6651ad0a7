import { isAscii } from 'node:buffer'

/** From this many bytes on, the runtime's own check, which looks at many bytes at once, is faster than a loop. */
const nativeCheckBytes = 128

/**
 * The length of the UTF-8 text in `bytes[from, to)` in UTF-16 units, as Yjs counts the clocks of a text.
 * @returns -1 if the bytes are not valid UTF-8, by the rules of a fatal TextDecoder (no overlong forms, no surrogates)
 */
export function utf16Length (bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= nativeCheckBytes && isAscii(bytes.subarray(from, to))) return to - from
  let units = to - from
  for (let at = from; at < to;) {
    if (bytes[at]! < 0x80) {
      at++
      continue
    }
    const size = characterSize(bytes, at, to)
    if (size === 0) return -1
    units -= size === 4 ? 2 : size - 1
    at += size
  }
  return units
}

/**
 * Bytes of the character at `at`: 1 to 4, or 0 if none is valid before `to`.
 * @see https://encoding.spec.whatwg.org/#utf-8-decoder
 */
function characterSize (bytes: Uint8Array, at: number, to: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + size > to) return 0
  const second = bytes[at + 1]!
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let i = 2; i < size; i++) {
    if ((bytes[at + i]! & 0xc0) !== 0x80) return 0
  }
  return size
}

/** Bytes of the character that begins at `at` in text already known to be valid. */
export function validCharacterSize (bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}
