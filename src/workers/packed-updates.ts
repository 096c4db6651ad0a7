/** Bytes before each update: its length, little-endian. */
const lengthBytes = 4
/** Bytes that are copied, in about 1 ms, before the event loop continues. */
const stepBytes = 1 << 20

/**
 * Packs updates into one shared buffer: thousands of small arrays would take long to cross to a thread, a shared buffer
 * is not copied, and it is still available when the thread dies and the task is retried.
 */
export function pack (updates: readonly Uint8Array[]): Uint8Array<SharedArrayBuffer> {
  const packed = room(updates)
  const steps = packing(updates, packed)
  while (steps.next().done !== true) continue
  return packed
}

/** The same for a whole document, which can be large: lets the event loop continue after each MiB. */
export async function packInSteps (updates: readonly Uint8Array[]): Promise<Uint8Array<SharedArrayBuffer>> {
  const packed = room(updates)
  let before = 0
  for (const at of packing(updates, packed)) {
    if (at - before < stepBytes) continue
    before = at
    await new Promise(setImmediate)
  }
  return packed
}

function room (updates: readonly Uint8Array[]): Uint8Array<SharedArrayBuffer> {
  const size = updates.reduce((sum, update) => sum + lengthBytes + update.length, 0)
  return new Uint8Array(new SharedArrayBuffer(size))
}

/** Copies the updates bit by bit. Yields how many bytes are written. */
function * packing (updates: readonly Uint8Array[], packed: Uint8Array<SharedArrayBuffer>): Generator<number> {
  const view = new DataView(packed.buffer)
  let at = 0
  for (const update of updates) {
    view.setUint32(at, update.length, true)
    at += lengthBytes
    for (let from = 0; from < update.length; from += stepBytes) {
      const part = update.subarray(from, from + stepBytes)
      packed.set(part, at)
      at += part.length
      yield at
    }
  }
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
