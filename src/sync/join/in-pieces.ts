import { pieceBytes } from '../limits.ts'

/** Groups what follows each other so that no group is too large to be read in one go by a slow client. A part that is larger stays alone. */
export function inPieces<Part> (parts: readonly Part[], bytesOf: (part: Part) => number): Part[][] {
  const pieces: Part[][] = []
  let piece: Part[] = []
  let bytes = 0
  for (const part of parts) {
    const length = bytesOf(part)
    if (piece.length > 0 && bytes + length > pieceBytes) {
      pieces.push(piece)
      piece = []
      bytes = 0
    }
    piece.push(part)
    bytes += length
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}
