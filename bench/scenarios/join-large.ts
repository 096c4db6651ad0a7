import { openLargeDocument } from '../documents.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { Reader } from '../load/reader.ts'
import { upload } from '../load/upload.ts'
import { startServer, withFolder } from '../servers.ts'
import { below, type Scenario } from './scenario.ts'

const joiners = 150

/** A large class opens a very large document at the same moment. */
export const joinLarge: Scenario = {
  name: 'join-20mb',
  title: `${joiners} clients join a document of 20 MB`,
  columns: [
    { key: 'synced', label: 's until all are synced', digits: 2 },
    { key: 'peak', label: 'MB resident at most', digits: 0 },
    { key: 'cpu', label: 'CPU s', digits: 2 },
  ],
  without: ['floor'],
  goals: [below(5, 'synced'), below(500, 'peak')],
  once: true,
  timeoutSeconds: 300,
  run: async ({ kind, quick }) => await withFolder(async (folder) => {
    const document = await openLargeDocument(quick)
    const server = await startServer(kind, folder)
    const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
    try {
      await upload(target, 'large', document)
      await server.rest()
      const uploaded = server.resident.peak
      server.forgetPeak()
      const readers = Array.from({ length: joiners }, () => new Reader(target, 'large', document.clocks))
      const cpu = server.cpuSeconds
      const start = performance.now()
      const ends = await Promise.all(readers.map(async (reader) => await reader.sync(240_000)))
      const { peak } = server.resident
      const notes = [`${(uploaded / 1e6).toFixed(0)} MB at most during the upload before`]
      if (quick) notes.push('a document of 4 MB: --quick')
      for (const { client } of readers) client.leave()
      return {
        figures: { synced: (Math.max(...ends) - start) / 1000, peak: peak / 1e6, cpu: server.cpuSeconds - cpu },
        notes,
      }
    } finally {
      await server.stop()
    }
  }),
}
