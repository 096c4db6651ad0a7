import t from 'tap'
import { Ledger } from './ledger.ts'
import { Random, series } from './random.ts'
import { startService, type Service } from './service.ts'
import { flooder, typist, write } from './writer.ts'
import { AcknowledgedClient, readDocument } from '../clients/acknowledged-client.ts'

/*
 * Rounds on the same folder: the service starts, everything acknowledged in earlier rounds is looked up, several
 * people write, and the service is killed. Those writers do not reconnect: their documents would hide a loss.
 */

const { rounds, seed, isLong } = series(5)
const random = new Random(seed)
const rooms = ['a', 'b', 'c', 'd']
const writersPerRoom = 2

/** Each ends a service under load in a different way. */
const crashes: Record<string, (service: Service) => Promise<void>> = {
  async 'while it works' (service) {
    await milliseconds(random.below(isLong ? 400 : 150))
    await service.stop('SIGKILL')
  },
  async 'while it compacts' (service) {
    await service.line(/"msg":"Compacting"/, { from: service.output().length })
    await milliseconds(random.below(20))
    await service.stop('SIGKILL')
  },
  async 'while it stops' (service) {
    await milliseconds(random.below(100))
    process.kill(service.pid, 'SIGTERM')
    await milliseconds(random.below(60))
    await service.stop('SIGKILL')
  },
  async 'when it gets a second SIGTERM' (service) {
    await milliseconds(random.below(100))
    process.kill(service.pid, 'SIGTERM')
    await service.line(/"msg":"Received SIGTERM; stopping"/)
    await milliseconds(random.below(20))
    await service.stop('SIGTERM')
  },
  async 'when a room was left' (service) {
    // In the other cases they leave when the process dies; here a room is left, and compacted, while others go on.
    const visitor = new AcknowledgedClient(service.port, 'left')
    await visitor.synced
    for (let i = 0; i < 60; i++) {
      visitor.doc.getText('text').insert(0, 'typed ')
      const { waiting } = visitor
      await visitor.until(() => visitor.waiting < waiting || !visitor.isOpen)
    }
    visitor.leave()
    await milliseconds(random.below(30))
    await service.stop('SIGKILL')
  },
}

t.test(`No acknowledged change is lost, whenever the service crashes (CRASH_ROUNDS=${rounds} CRASH_SEED=${seed})`, async (t) => {
  const folder = t.testdir()
  const ledger = new Ledger()
  const names = Object.keys(crashes)
  const met = { kills: 0, compacting: 0 }
  for (let round = 0; round <= rounds; round++) {
    const service = await startService(folder, { LOG_LEVEL: 'debug', STORE_SYNC: round % 3 === 2 ? 'fsync' : 'process' })
    t.teardown(() => service.stop('SIGKILL'))
    for (const room of ledger.documents) {
      const fault = ledger.fault(room, await readDocument(service.port, room))
      if (fault !== undefined) return t.fail(`round ${round}, after a crash ${names[(round - 1) % names.length]}: ${room}: ${fault}`)
    }
    if (round === rounds) {
      await service.stop()
      break
    }
    const name = names[round % names.length] ?? ''
    const habits = name === 'while it compacts' ? flooder : typist
    const writers = rooms.flatMap((room) => Array.from({ length: writersPerRoom }, () => {
      return write(service.port, room, ledger, new Random(random.below(2 ** 31)), habits)
    }))
    const first = await Promise.race([ledger.reach(ledger.count + 50 + random.below(isLong ? 2000 : 500)), ...writers.map((writer) => writer.then(() => 'disconnected'))])
    if (first === 'disconnected') return t.fail(`round ${round}: writers were disconnected by a healthy service\n${service.output()}`)
    await crashes[name]?.(service)
    await Promise.all(writers)
    met.kills++
    if (isCompacting(service.output())) met.compacting++
  }
  t.comment(`${ledger.count} acknowledged updates, ${met.kills} crashes, ${met.compacting} of them during a compaction`)
  t.ok(ledger.count > rounds * 50)
})

/** Whether the last compaction started and did not end. */
function isCompacting (output: string): boolean {
  return output.lastIndexOf('"msg":"Compacting"') > output.lastIndexOf('"msg":"Compacted"')
}

/** A random moment for the kill, not a wait for an event. */
const milliseconds = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })
