import { setTimeout as delay } from 'node:timers/promises'
import { openEditedDocument } from '../documents.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { Reader } from '../load/reader.ts'
import { upload } from '../load/upload.ts'
import { startServer, withFolder } from '../servers.ts'
import { median } from './join-edited.ts'
import { atMostBest, type Scenario } from './scenario.ts'

/** More than the delay before Hocuspocus stores (2 s). */
const storeDelayMs = 4000

/**
 * The first client after a restart: the document comes from the store, and the process has not run this code before.
 */
export const firstOpen: Scenario = {
  name: 'first-open',
  title: 'First open of the document of 260,000 edits after a restart (peers with LevelDB, SQLite)',
  columns: [
    { key: 'open', label: 'ms until synced', digits: 0 },
    { key: 'cpu', label: 'CPU ms', digits: 0 },
  ],
  without: ['floor'],
  goals: [atMostBest(0.2, 'open')],
  timeoutSeconds: 90,
  run: async ({ kind, quick, traces }) => await withFolder(async (folder) => {
    const document = await openEditedDocument(traces)
    const seeded = await startServer(kind, folder, true)
    const seedTarget = { port: seeded.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
    try {
      const owner = await upload(seedTarget, 'edited', document)
      await delay(storeDelayMs)
      owner.leave()
      await delay(500)
    } finally {
      await seeded.stop()
    }
    const taken: Array<{ open: number, cpu: number }> = []
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      const server = await startServer(kind, folder, true)
      const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
      try {
        const reader = new Reader(target, 'edited', document.clocks)
        const cpu = server.cpuSeconds
        const start = performance.now()
        taken.push({ open: await reader.sync() - start, cpu: (server.cpuSeconds - cpu) * 1000 })
        reader.client.leave()
      } finally {
        await server.stop()
      }
    }
    return {
      figures: { open: median(taken.map(({ open }) => open)), cpu: median(taken.map(({ cpu }) => cpu)) },
      notes: [`median of ${taken.length} restarts`],
    }
  }),
}
