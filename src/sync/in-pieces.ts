import { pieceBytes } from './limits.ts'

/**
 * Groups consecutive parts into pieces of at most `pieceBytes`, which a slow client can read. A larger part is a piece
 * of its own.
 */
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
