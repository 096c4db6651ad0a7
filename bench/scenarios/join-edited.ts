import { openEditedDocument } from '../documents.ts'
import { Crowd } from '../load/crowd.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { Reader } from '../load/reader.ts'
import { upload } from '../load/upload.ts'
import { startServer, withFolder } from '../servers.ts'
import { atMostBest, below, type Scenario } from './scenario.ts'

const joiners = 50
/** One update every 5 ms in another room: often enough to notice a pause of the event loop. */
const otherRoomUpdatesPerSecond = 200

/** A class opens one heavily edited document at the same moment; two people in another room keep typing. */
export const joinEdited: Scenario = {
  name: 'join-edited',
  title: `${joiners} clients join a document of 260,000 edits; delay felt in another room`,
  columns: [
    { key: 'synced', label: 'ms until all are synced', digits: 0 },
    { key: 'worst', label: 'worst delay elsewhere, ms', digits: 0 },
    { key: 'cpu', label: 'CPU ms', digits: 0 },
  ],
  without: ['floor'],
  goals: [atMostBest(0.5, 'synced'), below(20, 'worst')],
  timeoutSeconds: 90,
  run: async ({ kind, quick, traces }) => await withFolder(async (folder) => {
    const document = await openEditedDocument(traces)
    const server = await startServer(kind, folder)
    const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
    const others = new Crowd(target, 1, 2, 'update')
    const rounds = quick ? 2 : 7
    const taken: Array<{ synced: number, worst: number, cpu: number }> = []
    try {
      const owner = await upload(target, 'edited', document)
      await others.join()
      await others.write(otherRoomUpdatesPerSecond, 2)
      for (let round = 0; round < rounds; round++) {
        others.delays.clear()
        const typing = others.write(otherRoomUpdatesPerSecond, quick ? 1.5 : 2)
        const readers = Array.from({ length: joiners }, () => new Reader(target, 'edited', document.clocks))
        const cpu = server.cpuSeconds
        const start = performance.now()
        const ends = await Promise.all(readers.map(async (reader) => await reader.sync()))
        taken.push({ synced: Math.max(...ends) - start, cpu: (server.cpuSeconds - cpu) * 1000, worst: 0 })
        await typing
        await others.drain(5000)
        Object.assign(taken.at(-1) ?? {}, { worst: others.delays.maximum })
        for (const { client } of readers) client.leave()
      }
      owner.leave()
      return {
        figures: {
          synced: median(taken.map(({ synced }) => synced)),
          worst: median(taken.map(({ worst }) => worst)),
          cpu: median(taken.map(({ cpu }) => cpu)),
        },
        notes: [`median of ${rounds} rounds; the document is ${(document.bytes / 1024).toFixed(0)} KiB`],
      }
    } finally {
      others.leave()
      await server.stop()
    }
  }),
}

/** @param values at least one */
export function median (values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
