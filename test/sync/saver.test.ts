import t from 'tap'
import { Durations } from '../../src/logging/durations.ts'
import { Saver } from '../../src/sync/save/saver.ts'
import { newLog, turn, typing, until } from './engine.ts'
import { MemoryStore } from './memory-store.ts'

const [update] = typing('a')

/** A saver whose store rejects one document forever, and the number of attempts. */
function savingInVain () {
  const store = new MemoryStore()
  store.refused.add('refused')
  const saver = new Saver(store, newLog(), () => performance.now(), new Durations())
  saver.add({ entry: { document: 'refused', update: update! }, saved: () => {}, rejected: () => {} })
  return { store, saver, tries: () => store.appended.filter((entries) => entries.some(({ document }) => document === 'refused')).length }
}

await t.test('While the store accepts other documents, one that it rejects does not delay them longer and longer', async (t) => {
  // The two run side by side, so that their pauses are compared, however slow the machine is.
  const [alone, amongOthers] = [savingInVain(), savingInVain()]
  let taken = 0
  const add = (): void => {
    const saved = (): void => {
      taken++
      if (amongOthers.tries() < 20) add()
    }
    amongOthers.saver.add({ entry: { document: 'taken', update: update! }, saved, rejected: () => {} })
  }
  add()
  await until(() => amongOthers.tries() === 20, 30_000)
  t.ok(alone.tries() <= 10, `rejected alone: ${alone.tries()} attempts at growing intervals; among other documents: ${amongOthers.tries()} attempts`)
  t.ok(taken >= 18, `${taken} other documents were stored meanwhile`)
  await healed([alone, amongOthers])
})

await t.test('A stop need not wait for the next attempt', async (t) => {
  const inVain = savingInVain()
  const { saver, tries } = inVain
  // Pauses of 50 + 100 + 200 + 400 + 800 + 1600 + 3200 + 5000 + … ms, which end at once on a stop.
  for (let time = 1; time < 30; time++) {
    await until(() => tries() === time)
    // The attempt has begun; its failure is known a turn later, and the pause begins.
    await turn()
    saver.hurry()
  }
  t.equal(tries(), 29)
  await healed([inVain])
})

async function healed (savers: ReadonlyArray<ReturnType<typeof savingInVain>>): Promise<void> {
  for (const { store, saver } of savers) {
    store.refused.clear()
    saver.hurry()
    await saver.flush()
  }
}
