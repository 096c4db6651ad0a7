import { openOrdinaryDocument } from '../documents.ts'
import type { Client } from '../load/client.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { upload } from '../load/upload.ts'
import { startServer, withFolder } from '../servers.ts'
import { below, type Scenario } from './scenario.ts'

/** The memory of a document that one client has open while nobody types. */
export const documentMemory: Scenario = {
  name: 'document-memory',
  title: 'Memory per open document of 102 KiB, one client each',
  columns: [
    { key: 'resident', label: 'KiB resident', digits: 0 },
    { key: 'heap', label: 'KiB of heap and buffers', digits: 0 },
    { key: 'documents', label: 'documents', digits: 0 },
  ],
  without: ['floor'],
  goals: [below(60, 'resident')],
  timeoutSeconds: 300,
  run: async ({ kind, quick }) => await withFolder(async (folder) => {
    const document = await openOrdinaryDocument()
    const server = await startServer(kind, folder)
    const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
    const count = quick ? 40 : 800
    const clients: Client[] = []
    const open = async (room: string) => { clients.push(await upload(target, room, document)) }
    try {
      // The first ones grow the heaps, of the workers too, and compile the code; they stay open on both sides of the
      // difference. The spare memory of the process still varies by tens of MB, so the documents are so many that it
      // hardly matters.
      for (let index = 0; index < (quick ? 20 : 200); index++) await open(`before-${index}`)
      await server.rest()
      const before = await server.readMemory()
      for (let index = 0; index < count; index++) await open(`document-${index}`)
      await server.rest()
      const after = await server.readMemory()
      return {
        figures: {
          resident: (after.residentBytes - before.residentBytes) / count / 1024,
          heap: (after.heapBytes - before.heapBytes) / count / 1024,
          documents: count,
        },
        notes: [],
      }
    } finally {
      for (const client of clients) client.leave()
      await server.stop()
    }
  }),
}
