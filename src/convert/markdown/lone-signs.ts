import type { BlockTable } from '../blocks/block-table.ts'
import { delimiterRun, paired } from './delimiter-run.ts'
import type { Piece } from './inline-pieces.ts'

/**
 * The signs that need no backslash in a paragraph: no two runs of them in its text could be read as a pair, and none of
 * its marks is written with them.
 * @param oneLine whether its line breaks are tags
 */
export function loneSigns (pieces: readonly Piece[], table: BlockTable, oneLine: boolean): ReadonlySet<string> {
  const lone = new Set(paired)
  for (const { marks } of pieces) {
    for (const mark of marks) lone.delete(table.marks.get(mark)?.delimiter?.charAt(0) ?? '')
  }
  const opened = new Set<string>()
  pieces.forEach(({ kind, text }, index) => {
    if (kind !== 'text' || !/[*_~]/.test(text)) return
    const before = edge(pieces[index - 1], oneLine ? '>' : '')
    const after = edge(pieces[index + 1], '\\')
    for (let at = 0; at < text.length; at++) {
      const sign = text.charAt(at)
      if (!paired.has(sign)) continue
      const { end, opens, closes } = delimiterRun(text, at, before, after)
      if (closes && opened.has(sign)) lone.delete(sign)
      if (opens) opened.add(sign)
      at = end - 1
    }
  })
  return countTicks(pieces) === 1 ? lone.add('`') : lone
}

/** The character beside a piece: none at the edge of a paragraph, the sign of a break, unknown for any other piece. */
function edge (piece: Piece | undefined, sign: string): string | undefined {
  if (piece === undefined) return ''
  return piece.kind === 'break' ? sign : undefined
}

/** The number of runs of ticks in the whole paragraph: a backslash does not keep a tick from ending code. */
function countTicks (pieces: readonly Piece[]): number {
  let runs = 0
  for (const { kind, text, href } of pieces) {
    if (kind === 'code') return 2
    if (text.includes('`')) runs += text.match(/`+/g)?.length ?? 0
    if (href?.includes('`') === true) runs++
  }
  return runs
}
