import type { Formats } from '../../convert/yjs/stored-node.ts'
import { describeValue } from './describe-type.ts'
import { sameValue } from './same-value.ts'
import { describeElement } from './tree-keys.ts'
import type { TreeRun } from './tree.ts'
import { matchUnits } from './unit-diff.ts'
import { type Inserted, Units } from './units.ts'

/** A change of formats: null ends a format. */
type Attributes = Record<string, unknown>

/** One step of a change of a Y.Text, as `Y.Text.applyDelta` takes it. */
export type DeltaStep =
  | { readonly retain: number, readonly attributes?: Attributes }
  | { readonly insert: unknown, readonly attributes: Attributes }
  | { readonly delete: number }

/** The change that turns one text into another; empty if they are equal. */
export function textDelta (old: readonly TreeRun[], wanted: readonly TreeRun[]): DeltaStep[] {
  const [a, b] = [new Units(), new Units()]
  a.addRuns(old)
  b.addRuns(wanted)
  const steps: DeltaStep[] = []
  let end = { a: 0, b: 0 }
  const change = (aTo: number, bTo: number) => {
    // What is inserted first can go between formats that the deletion would remove.
    insert(steps, b, end.b, bTo)
    if (aTo > end.a) steps.push({ delete: aTo - end.a })
  }
  for (const stretch of matchUnits(a, b, keyOf)) {
    change(stretch.a, stretch.b)
    retain(steps, a, b, stretch)
    end = { a: stretch.a + stretch.length, b: stretch.b + stretch.length }
  }
  change(a.length, b.length)
  while (isNothing(steps.at(-1))) steps.pop()
  return steps
}

/** The steps that write a text from its start. */
export function newTextDelta (runs: readonly TreeRun[]): DeltaStep[] {
  return runs.map((run) => ({ insert: 'embed' in run ? run.embed : run.text, attributes: { ...run.formats } }))
}

/** The key by which elements and objects in lines of text are compared. */
export function keyOf (inserted: Inserted): string {
  return 'element' in inserted ? describeElement(inserted.element) : describeValue(inserted.embed)
}

function isNothing (step: DeltaStep | undefined): boolean {
  return step !== undefined && 'retain' in step && step.attributes === undefined
}

function insert (steps: DeltaStep[], units: Units, from: number, to: number): void {
  for (let start = from; start < to;) {
    const inserted = units.insertedAt(start)
    const end = units.endOfRun(start, to)
    const content = inserted === undefined ? units.text.slice(start, end) : 'embed' in inserted ? inserted.embed : ''
    steps.push({ insert: content, attributes: { ...units.formatsAt(start) } })
    start = end
  }
}

function retain (steps: DeltaStep[], a: Units, b: Units, stretch: { a: number, b: number, length: number }): void {
  for (let start = 0; start < stretch.length;) {
    const [inA, inB] = [stretch.a + start, stretch.b + start]
    const left = stretch.length - start
    const length = Math.min(a.endOfRun(inA, inA + left) - inA, b.endOfRun(inB, inB + left) - inB)
    addRetain(steps, length, changeOf(a.formatsAt(inA), b.formatsAt(inB)))
    start += length
  }
}

function addRetain (steps: DeltaStep[], length: number, attributes: Attributes | undefined): void {
  const last = steps.at(-1)
  if (attributes !== undefined) steps.push({ retain: length, attributes })
  else if (last !== undefined && 'retain' in last && last.attributes === undefined) {
    steps[steps.length - 1] = { retain: last.retain + length }
  } else steps.push({ retain: length })
}

function changeOf (before: Formats, after: Formats): Attributes | undefined {
  if (before === after) return undefined
  const change: Attributes = {}
  for (const name in before) if (!(name in after)) change[name] = null
  for (const name in after) if (!sameValue(before[name], after[name])) change[name] = after[name]
  return Object.keys(change).length === 0 ? undefined : change
}
