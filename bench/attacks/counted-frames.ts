/** Frames that are expensive by the number of their parts, not by their bytes: clients, ranges, gaps, entries. */
import * as encoding from 'lib0/encoding'

/** Client ids of five bytes each, the largest that Yjs makes */
const firstClient = 2 ** 31
const gc = 0
const skip = 10
/** ContentString with an origin (info bits of Yjs' `Item`) */
const textBehindOrigin = 0x84

/** Makes a frame of about so many bytes. */
type Frame = (bytes: number) => Uint8Array

const write = (
  bytesEach: number,
  head: (encoder: encoding.Encoder, count: number) => void,
  each: (encoder: encoding.Encoder, i: number) => void,
  end?: (encoder: encoding.Encoder) => void
): Frame =>
  (bytes) => encoding.encode((encoder) => {
    const count = Math.floor(bytes / bytesEach)
    head(encoder, count)
    for (let i = 0; i < count; i++) each(encoder, i)
    end?.(encoder)
  })

const numbers = (encoder: encoding.Encoder, ...values: number[]): void => {
  for (const value of values) encoding.writeVarUint(encoder, value)
}
const noDeletes = (encoder: encoding.Encoder): void => { numbers(encoder, 0) }
/** Yjs writes clients in descending order; here every third is out of order. */
const client = (i: number): number => firstClient - 3 * i + (i % 3 === 0 ? 4 : 0)

/** Updates, without the message around them. */
export const updates: Readonly<Record<string, Frame>> = {
  clients: write(10, (encoder, count) => { numbers(encoder, count) }, (encoder, i) => {
    numbers(encoder, 1, client(i), 0, gc, 2)
  }, noDeletes),
  'clients of deletions': write(9, (encoder, count) => { numbers(encoder, 0, count) }, (encoder, i) => { numbers(encoder, client(i), 1, i % 50, 3) }),
  'ranges of deletions': write(5, (encoder, count) => { numbers(encoder, 0, 1, 9, count) }, (encoder, i) => { numbers(encoder, 2 ** 21 + 5 * i, 2) }),
  gaps: write(4, (encoder, count) => { numbers(encoder, 1, 2 * count, 9, 3) }, (encoder) => {
    numbers(encoder, skip, 2, gc, 1)
  }, noDeletes),
  'origins at other clients': write(9, (encoder, count) => { numbers(encoder, 1, count, 9, 0) }, (encoder, i) => {
    numbers(encoder, textBehindOrigin, client(i), 1)
    encoding.writeVarString(encoder, 'b')
  }, noDeletes),
}

export const stateVector = write(6, (encoder, count) => { numbers(encoder, count) }, (encoder, i) => {
  numbers(encoder, client(i), 1)
})

export const presence = write(12, (encoder, count) => { numbers(encoder, count) }, (encoder, i) => {
  numbers(encoder, client(i), 2)
  encoding.writeVarString(encoder, '{"a":1}')
})

/**
 * Twenty deletions of one clock each, between those of `updates['ranges of deletions']`; different ones in each call.
 */
export function * smallDeletes (): Generator<Uint8Array, never> {
  for (let at = 2 ** 21 + 3; ; at += 5 * 20) {
    yield encoding.encode((encoder) => {
      numbers(encoder, 0, 1, 9, 20)
      for (let i = 0; i < 20; i++) numbers(encoder, at + 5 * i, 1)
    })
  }
}
