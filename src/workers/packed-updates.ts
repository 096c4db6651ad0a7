/** Bytes before each update: its length, little-endian. */
const lengthBytes = 4

/**
 * Packs updates into one shared buffer: thousands of small arrays would take long to cross to a thread, a shared buffer
 * is not copied, and it is still available when the thread dies and the task is retried.
 */
export function pack (updates: readonly Uint8Array[]): Uint8Array<SharedArrayBuffer> {
  const size = updates.reduce((sum, update) => sum + lengthBytes + update.length, 0)
  const packed = new Uint8Array(new SharedArrayBuffer(size))
  const view = new DataView(packed.buffer)
  let at = 0
  for (const update of updates) {
    view.setUint32(at, update.length, true)
    packed.set(update, at + lengthBytes)
    at += lengthBytes + update.length
  }
  return packed
}

/** Unpacks what `pack` made. @returns copies, since decoders of text reject shared memory */
export function unpack (packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const updates: Uint8Array[] = []
  for (let at = 0; at < packed.length;) {
    const length = view.getUint32(at, true)
    updates.push(packed.slice(at + lengthBytes, at + lengthBytes + length))
    at += lengthBytes + length
  }
  return updates
}
