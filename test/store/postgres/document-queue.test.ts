import fc from 'fast-check'
import t from 'tap'
import { DocumentQueue } from '../../../src/store/postgres/document-queue.ts'

interface Job { readonly nr: number, readonly documents: ReadonlySet<string>, readonly bytes: number }

await t.test('Jobs of one document run one after the other, in order, whatever other jobs run', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }), { maxLength: 40 }), fc.scheduler(), async (jobs, scheduler) => {
    const running = new Set<string>()
    const seen = new Map<string, number[]>()
    let groups = 0
    const queue = new DocumentQueue<Job>(async (group) => {
      if (++groups > 3) throw new Error('more at once than allowed')
      const documents = new Set(group.flatMap((job) => [...job.documents]))
      for (const document of documents) {
        if (running.has(document)) throw new Error(`${document} twice at once`)
        running.add(document)
      }
      for (const { nr, documents } of group) {
        for (const document of documents) seen.set(document, [...seen.get(document) ?? [], nr])
      }
      await scheduler.schedule(Promise.resolve())
      for (const document of documents) running.delete(document)
      groups--
    }, { maxRunning: 3, maxBytes: 5 })
    jobs.forEach((documents, nr) => queue.add({ nr, documents: new Set(documents), bytes: 1 }))
    const idle = queue.idle()
    await scheduler.waitFor(idle)
    for (const [document, numbers] of seen) {
      const expected = jobs.flatMap((documents, nr) => documents.some((each) => each === document) ? [nr] : [])
      if (JSON.stringify(numbers) !== JSON.stringify(expected)) throw new Error(`${document}: ${numbers.join()} instead of ${expected.join()}`)
    }
    const total = [...seen.values()].flat().length
    if (total !== jobs.flat().length) throw new Error('some never ran')
  }), { numRuns: 200 })
})
