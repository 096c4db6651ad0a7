import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/** A Hocuspocus message about a document. */
export function about (name: string, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, name)
    write(encoder)
  })
}

/** Writes numbers, texts and byte strings one after the other. */
export function bytes (...parts: Array<number | string | Uint8Array>): (encoder: encoding.Encoder) => void {
  return (encoder) => {
    for (const part of parts) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part)
      else if (typeof part === 'string') encoding.writeVarString(encoder, part)
      else encoding.writeVarUint8Array(encoder, part)
    }
  }
}

/** A Hocuspocus message, with the fields that tests use. */
export function read (message: Uint8Array): { name: string, type: number, rest: number[] } {
  const decoder = decoding.createDecoder(message)
  const name = decoding.readVarString(decoder)
  const type = decoding.readVarUint(decoder)
  return { name, type, rest: [...decoding.readTailAsUint8Array(decoder)] }
}
