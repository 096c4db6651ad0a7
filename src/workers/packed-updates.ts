/** Bytes before each update: its length, little-endian */
const lengthBytes = 4

/** Many updates in one buffer of its own, which crosses a thread border at once where thousands of small arrays would not. */
export function pack (updates: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = updates.reduce((sum, update) => sum + lengthBytes + update.length, 0)
  const packed = new Uint8Array(new ArrayBuffer(size))
  const view = new DataView(packed.buffer)
  let at = 0
  for (const update of updates) {
    view.setUint32(at, update.length, true)
    packed.set(update, at + lengthBytes)
    at += lengthBytes + update.length
  }
  return packed
}

/** @returns views of the buffer */
export function unpack (packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const updates: Uint8Array[] = []
  for (let at = 0; at < packed.length;) {
    const length = view.getUint32(at, true)
    updates.push(packed.subarray(at + lengthBytes, at + lengthBytes + length))
    at += lengthBytes + length
  }
  return updates
}
