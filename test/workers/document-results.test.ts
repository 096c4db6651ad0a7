import t from 'tap'
import { clientBounds } from '../../src/update/bounds.ts'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { Known } from '../../src/update/known.ts'
import { MalformedUpdate } from '../../src/update/malformed-update.ts'
import { unpackScan } from '../../src/update/packed-scan.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { DocumentThreads } from '../../src/workers/document-threads.ts'
import { quiet } from '../store/quiet-logger.ts'

/** One collected struct of each client. */
function updateOfClients (clients: number): Uint8Array {
  const writer = new ByteWriter()
  writer.varUint(clients)
  for (let client = clients; client > 0; client--) for (const number of [1, client, 0, 0, 5]) writer.varUint(number)
  writer.varUint(0)
  return writer.finish()
}

await t.test('The results of scanning an update and knowing a document arrive whole', async (t) => {
  const threads = await DocumentThreads.open(1, quiet)
  t.teardown(() => threads.close())
  const update = updateOfClients(3000)
  const scanned = unpackScan(await threads.scan(update, 'client', 'room'), update)
  const known = new Known()
  known.add(scanUpdate(update))
  t.equal(known.contains(scanned), true)
  t.same([...scanned.runs], [...scanUpdate(update).runs])
  t.same(scanned.deleteSet.encode(), scanUpdate(update).deleteSet.encode())
  const half = new Known()
  half.add(scanUpdate(updateOfClients(1500)))
  t.same(Known.unpack(await threads.know(half.encode(), [update], 'room')).encode(), known.encode())
  t.same(Buffer.from(await threads.unite([half.encode(), half.pack()], [update], 'room')), Buffer.from(known.encode()))
  t.same(Buffer.from(await threads.unite([half.encode(), known.pack()], [], 'room')), Buffer.from(known.encode()))
})

await t.test('A thread too rejects a client\'s update above a bound, and reads one from the store', async (t) => {
  const threads = await DocumentThreads.open(1, quiet)
  t.teardown(() => threads.close())
  const update = updateOfClients(clientBounds.clients + 1)
  const error: unknown = await threads.scan(update, 'client', 'room').catch((error: unknown) => error)
  t.ok(error instanceof MalformedUpdate)
  t.equal((await threads.scan(update, 'store', 'room')).parts, 3 * (clientBounds.clients + 1))
})
