import fc from 'fast-check'
import * as Y from 'yjs'

/** One step of a history: a document does something, with numbers for positions, lengths and choices. */
export interface Step { doc: number, what: number, a: number, b: number }

/** The documents of a history, by whether they collect, and its steps. */
export interface HistoryPlan { gc: boolean[], steps: Step[] }

/** A history after it was played. */
export interface History {
  readonly docs: readonly Y.Doc[]
  /** Every update that any document emitted for its own changes, in order. */
  readonly updates: readonly Uint8Array[]
}

const texts = ['a', 'bc', 'ü', '日本語', '😀', 'x😀y', '👩‍👩‍👧', '\u0000', '\ufeff', 'lorem ipsum dolor sit amet, '.repeat(6), '😀'.repeat(40)]
const values = [null, true, 0, -70, 2.5, 2 ** 31, 2 ** 40, 'text', 'ü😀', [1, [2, { deep: [] }]], { a: { b: 1 } }, new Uint8Array([1, 2, 255]), 12345678901234n, undefined]
const formats = [{ bold: true }, { bold: null }, { link: { href: 'https://example.org/?q="ü"' } }, { color: '#aabbcc' }, { size: 1.5e3 }]

const step = fc.record({ doc: fc.nat(3), what: fc.nat(15), a: fc.nat(1000), b: fc.nat(1000) })

/** Any history of one to four documents. */
export const historyPlan: fc.Arbitrary<HistoryPlan> = fc.record({
  gc: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  steps: fc.array(step, { minLength: 1, maxLength: 60 }),
})

/** Client ids of several byte lengths, fixed so that a seed determines the whole history. */
const clientIds = [3, 4_000_000_000, 70_000, 2 ** 40 + 5]

/** Plays a history. */
export function play (plan: HistoryPlan): History {
  const updates: Uint8Array[] = []
  const docs = plan.gc.map((gc, i) => newDoc(gc, clientIds[i]!, updates))
  const undos = docs.map((doc) => new Y.UndoManager([doc.getText('text'), doc.getMap('map'), doc.getXmlFragment('xml')], { captureTimeout: 0 }))
  for (const step of plan.steps) {
    const index = step.doc % docs.length
    take(docs, undos, index, step)
  }
  undos.forEach((undo) => undo.destroy())
  return { docs, updates }
}

/** A document with its root types declared, so that toJSON shows them. */
export function reader (gc = true): Y.Doc {
  const doc = new Y.Doc({ gc })
  defineRoots(doc)
  return doc
}

/** Declares the root types of the histories. */
export function defineRoots (doc: Y.Doc): void {
  doc.getText('text')
  doc.getMap('map')
  doc.getArray('array')
  doc.getXmlFragment('xml')
}

function newDoc (gc: boolean, clientId: number, updates: Uint8Array[]): Y.Doc {
  const doc = reader(gc)
  doc.clientID = clientId
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== 'sync') updates.push(update)
  })
  return doc
}

function take (docs: readonly Y.Doc[], undos: readonly Y.UndoManager[], index: number, { what, a, b }: Step): void {
  const doc = docs[index]!
  const text = doc.getText('text')
  switch (what) {
    case 0: case 1: case 2: text.insert(place(text, a), texts[b % texts.length]!); break
    case 3: text.insert(place(text, a), texts[b % texts.length]!, formats[a % formats.length]!); break
    case 4: text.delete(...spanOf(text, a, b)); break
    case 5: text.format(...spanOf(text, a, b), formats[(a + b) % formats.length]!); break
    case 6: text.insertEmbed(place(text, a), { image: 'ü', n: b }); break
    case 7: doc.getMap('map').set(`key${a % 4}`, values[b % values.length]); break
    case 8: changeMap(doc, a, b); break
    case 9: doc.getArray('array').insert(a % (doc.getArray('array').length + 1), [listed(values[b % values.length]), a, 'ü']); break
    case 10: doc.getArray('array').delete(...span(doc.getArray('array').length, a, b)); break
    case 11: growXml(doc.getXmlFragment('xml'), a, b); break
    case 12: doc.getXmlFragment('xml').delete(...span(doc.getXmlFragment('xml').length, a, b)); break
    case 13: Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[a % docs.length]!), 'sync'); break
    case 14: undos[index]!.undo(); break
    default: undoOrMany(doc, undos[index]!, a, b)
  }
}

/**
 * The positions between the characters of a text. Inside a surrogate pair Yjs does not converge (yjs#248), and editors
 * never place the cursor there.
 */
function places (text: Y.Text): number[] {
  const delta = text.toDelta() as { insert: unknown }[] // toDelta is declared as any; every part has an insert
  let at = 0
  const found = [0]
  for (const { insert } of delta) {
    for (const character of typeof insert === 'string' ? insert : ' ') found.push(at += character.length)
  }
  return found
}

function place (text: Y.Text, n: number): number {
  const found = places(text)
  return found[n % found.length]!
}

function spanOf (text: Y.Text, a: number, b: number): [start: number, length: number] {
  const found = places(text)
  const first = a % found.length
  const last = Math.min(found.length - 1, first + b % 9)
  return [found[first]!, found[last]! - found[first]!]
}

function span (length: number, a: number, b: number): [start: number, length: number] {
  const start = length === 0 ? 0 : a % length
  return [start, Math.min(length - start, b % 9)]
}

function changeMap (doc: Y.Doc, a: number, b: number): void {
  const map = doc.getMap('map')
  const key = `key${a % 4}`
  switch (b % 5) {
    case 0: map.delete(key); break
    case 1: map.set(key, new Y.Doc({ guid: `sub-${a}`, meta: { ü: [1] }, autoLoad: a % 2 === 0 })); break
    case 2: map.set(key, new Y.Map([['inner', a]])); break
    case 3: map.set(key, new Y.Text('inner 😀')); break
    default: {
      const inner = map.get(key)
      if (inner instanceof Y.Map) inner.set('again', a)
      else if (inner instanceof Y.Text) inner.insert(inner.length, 'more')
    }
  }
}

function growXml (xml: Y.XmlFragment | Y.XmlElement, a: number, b: number): void {
  const child = xml.length > 0 ? xml.get(a % xml.length) : undefined
  if (child instanceof Y.XmlElement && b % 3 !== 0) {
    if (b % 2 === 0) child.setAttribute('id', `${a}`)
    else growXml(child, a >> 2, b >> 1)
  } else if (child instanceof Y.XmlText && b % 3 !== 0) {
    if (b % 2 === 0) child.insert(child.length, 'more', formats[a % formats.length]!)
    else child.format(...span(child.length, a, b), formats[a % formats.length]!)
  } else if (b % 2 === 0) {
    xml.insert(a % (xml.length + 1), [new Y.XmlElement(`p${b % 3}`)])
  } else {
    xml.insert(a % (xml.length + 1), [new Y.XmlText('ü text')])
  }
}

function undoOrMany (doc: Y.Doc, undo: Y.UndoManager, a: number, b: number): void {
  if (b % 2 === 0) {
    undo.redo()
    return
  }
  doc.transact(() => {
    const text = doc.getText('text')
    for (let i = 0; i < 5; i++) text.insert(place(text, a * i), texts[(b + i) % texts.length]!)
    text.delete(...spanOf(text, a, b))
    doc.getArray('array').push([{ big: BigInt(a) * 1_000_000_007n }, b])
  })
}

/** A Y.Array takes neither bigint nor undefined by itself, a Y.Map does. */
function listed (value: unknown): unknown {
  return typeof value === 'bigint' || value === undefined ? [value] : value
}

/** A history with updates of it: single, merged, differences and whole states, chosen, repeated and shuffled. */
export interface Mix { history: History, updates: Uint8Array[] }

/** Any mix. */
export const mix: fc.Arbitrary<Mix> = fc.record({
  plan: historyPlan,
  picks: fc.array(fc.record({ kind: fc.nat(5), a: fc.nat(1000), b: fc.nat(1000) }), { minLength: 1, maxLength: 40 }),
  complete: fc.boolean(),
}).map(({ plan, picks, complete }) => {
  const history = play(plan)
  const updates = picks.flatMap(({ kind, a, b }) => pick(history, kind, a, b))
  if (complete) for (const doc of history.docs) updates.splice(updates.length >> 1, 0, Y.encodeStateAsUpdate(doc))
  return { history, updates }
})

function pick ({ docs, updates }: History, kind: number, a: number, b: number): Uint8Array[] {
  const doc = docs[a % docs.length]!
  const count = updates.length
  switch (kind) {
    case 0: case 1: return count === 0 ? [] : [updates[a % count]!]
    case 2: return updates.slice(a % (count + 1), b % (count + 1))
    case 3: return [Y.mergeUpdates(updates.filter((_, i) => (i * 7 + a) % 3 !== 0).concat(Y.encodeStateAsUpdate(doc)))]
    case 4: {
      // Against the state of a possible reader: Yjs does not converge if a difference is cut through a surrogate pair.
      const earlier = Y.mergeUpdates([Uint8Array.of(0, 0), ...updates.slice(0, b % (count + 1))])
      return [Y.encodeStateAsUpdate(doc, Y.encodeStateVectorFromUpdate(earlier))]
    }
    default: return count === 0 ? [] : [Y.mergeUpdates([updates[a % count]!, updates[b % count]!])]
  }
}
