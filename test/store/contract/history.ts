import fc from 'fast-check'
import type { Test } from 'tap'
import { Model } from './model.ts'
import { noise } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for any sequence of calls. */
export async function historyContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('After any history the store agrees with a simple model', async (t) => {
    const document = fc.constantFrom('a', 'b', 'ab')
    const size = fc.oneof(
      { weight: 8, arbitrary: fc.nat(200) },
      { weight: 2, arbitrary: fc.nat(20_000) },
      { weight: 1, arbitrary: fc.nat(300_000) }
    )
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), entries: fc.array(fc.record({ document, size }), { maxLength: 6 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('create' as const), document, size }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('appendIf' as const), document, size, back: fc.nat(3), isLast: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('compact' as const), document, keep: fc.nat(3), pieces: fc.array(size, { minLength: 1, maxLength: 4 }), aside: fc.array(size, { maxLength: 2 }), stale: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeSetAside' as const), document }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), document }) }
    )
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { store, reopen } = await open(t)
      const view = await reopen()
      const model = new Model()
      for (const [at, next] of steps.entries()) {
        if (next.kind === 'append') {
          const entries = next.entries.map(({ document, size }, index) => ({
            document,
            update: noise(size, at * 10 + index),
          }))
          model.append(entries, await store.append(entries))
        } else if (next.kind === 'create') {
          const update = noise(next.size, at)
          const made = await store.create(next.document, update)
          if ((made !== undefined) === model.documents.has(next.document)) throw new Error(`step ${at}: created ${made}`)
          if (made !== undefined) model.append([{ document: next.document, update }], [made])
        } else if (next.kind === 'appendIf') {
          const { document, back, isLast } = next
          const update = noise(next.size, at)
          const { firstSeq = 0, lastSeq = 0 } = model.documents.get(document) ?? {}
          const readAt = Math.max(1, lastSeq - back)
          const result = await store.appendIf({ document, update }, { readAt, isLast })
          const isAllowed = readAt >= firstSeq && (readAt === lastSeq || !isLast)
          const expected = lastSeq === 0 ? 'absent' : isAllowed ? 'stored' : 'changed'
          if (result.type !== expected) throw new Error(`step ${at}: ${result.type}, not ${expected}`)
          if (result.type === 'stored') model.append([{ document, update }], [result.seq])
          if (result.type === 'changed' && result.lastSeq !== lastSeq) throw new Error(`step ${at}: ${result.lastSeq}`)
        } else if (next.kind === 'remove') {
          if (await store.remove(next.document) !== model.documents.delete(next.document)) throw new Error(`step ${at}: removed`)
        } else if (next.kind === 'removeSetAside') {
          const aside = model.documents.get(next.document)?.aside.splice(0) ?? []
          if (await store.removeSetAside(next.document) !== aside.length) throw new Error(`step ${at}: removed what is set aside`)
        } else {
          const known = model.documents.get(next.document)
          const upTo = Math.max((known?.lastSeq ?? 1) - next.keep, known?.upTo ?? 0, known?.firstSeq ?? 0)
          const pieces = next.pieces.map((size, index) => noise(size, at * 10 + index))
          const replaces = (known?.generation ?? 0) + (next.stale ? 1 : 0)
          const aside = next.aside.map((size, index) => noise(size, at * 10 + index + 5))
          const head = await store.compact(next.document, { replaces, upTo, pieces, known: noise(50, at), setAside: aside.map((update) => ({ update, reason: `step ${at}` })) })
          if ((head !== undefined) !== (known !== undefined && !next.stale)) throw new Error(`step ${at}: compacted`)
          if (known && head) model.compact(known, upTo, pieces, aside, head.generation)
        }
        await model.compare(store, `step ${at}`)
        await model.compare(view, `step ${at}, as another process sees it`)
      }
      await store.close()
      await model.compare(view, 'after the store was closed')
      await view.close()
    }), { numRuns: 30 })
  })
}
