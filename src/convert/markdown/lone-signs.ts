import type { BlockTable } from '../blocks/block-table.ts'
import { delimiterRun, paired } from './delimiter-run.ts'
import type { Piece } from './inline-to-markdown.ts'

/**
 * The signs that stand for themselves in a paragraph without a backslash: no two runs of them in its text could be read as a
 * pair, and none of its own marks is written with them.
 * @param oneLine its line breaks are tags
 */
export function loneSigns (pieces: readonly Piece[], table: BlockTable, oneLine: boolean): ReadonlySet<string> {
  const lone = new Set(paired)
  for (const { marks } of pieces) for (const mark of marks) lone.delete(table.marks.get(mark)?.delimiter?.charAt(0) ?? '')
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

/** At the edge of a paragraph stands nothing, at a break its sign; what another piece is written with is not known. */
function edge (neighbour: Piece | undefined, sign: string): string | undefined {
  if (neighbour === undefined) return ''
  return neighbour.kind === 'break' ? sign : undefined
}

/** Runs of ticks. A backslash keeps none from ending code, so that one alone is one in all of the paragraph. */
function countTicks (pieces: readonly Piece[]): number {
  let runs = 0
  for (const { kind, text, href } of pieces) {
    if (kind === 'code') return 2
    if (text.includes('`')) runs += text.match(/`+/g)?.length ?? 0
    if (href?.includes('`') === true) runs++
  }
  return runs
}
