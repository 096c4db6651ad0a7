import { setTimeout as delay } from 'node:timers/promises'
import { Client, joinAll } from '../load/client.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { startServer, withFolder } from '../servers.ts'
import type { Goal, Scenario } from './scenario.ts'

/** A row for the memory of a connection while nobody types. */
export function idleMemory (row: {
  name: string
  title: string
  rooms: (connections: number) => number
  goals: Goal[]
}): Scenario {
  return {
    ...row,
    columns: [
      { key: 'resident', label: 'KiB resident', digits: 1 },
      { key: 'heap', label: 'KiB of heap and buffers', digits: 1 },
      { key: 'connections', label: 'connections', digits: 0 },
    ],
    without: [],
    timeoutSeconds: 120,
    run: async ({ kind, quick }) => await withFolder(async (folder) => {
      const server = await startServer(kind, folder)
      const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
      const connections = quick ? 1000 : 5000
      const rooms = row.rooms(connections)
      const clients = Array.from({ length: connections }, (_, index) => new Client(target, `idle-${index % rooms}`))
      try {
        // A few stay open from before, so that one-time costs (compiled code, pools) are on both sides of the
        // difference. No more than a few: a larger crowd leaves spare heap that V8 returns or not, as much as all that
        // is measured.
        const first = 100
        await joinAll(clients.slice(0, first))
        await delay(1000)
        const before = await server.readMemory()
        await joinAll(clients.slice(first))
        await delay(quick ? 1000 : 5000)
        const after = await server.readMemory()
        const closed = clients.filter(({ closeCode }) => closeCode !== undefined).length
        return {
          figures: {
            resident: (after.residentBytes - before.residentBytes) / (connections - first) / 1024,
            heap: (after.heapBytes - before.heapBytes) / (connections - first) / 1024,
            connections: connections - closed,
          },
          notes: closed === 0 ? [] : [`${closed} connections were closed by the server`],
        }
      } finally {
        for (const client of clients) client.leave()
        await server.stop()
      }
    }),
  }
}
