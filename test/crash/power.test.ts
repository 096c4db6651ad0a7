import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inLongRun } from '../long.ts'
import { startService } from './service.ts'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'

const strace = '/usr/bin/strace'
const updates = inLongRun(6, 20)

/** What is written to the data file, synced to the disk and sent to the client, in the order of the system calls. */
type Call = 'write' | 'sync' | 'acknowledgement'

/** The acknowledgement of one update to a client of room `p`, as the frame that goes to the socket. */
const acknowledged = String.raw`"\202\4\1p\10\1"`

function callsOf (trace: string): Call[] {
  const lines = trace.split('\n')
  const dataFile = lines.map((line) => line.match(/ fdatasync\((\d+)/)?.[1]).find((file) => file !== undefined)
  return lines.flatMap((line): Call[] => {
    if (line.includes(acknowledged)) return ['acknowledgement']
    if (/ fdatasync\(\d+\)\s+= 0/.test(line) || line.includes('fdatasync resumed>')) return ['sync']
    return line.match(/ (?:pwrite64|pwritev|writev|write)\((\d+)/)?.[1] === dataFile ? ['write'] : []
  })
}

if (!existsSync(strace)) {
  t.comment('Without strace (apt-get install strace) syncs of the disk are not visible.')
} else {
  for (const sync of ['fsync', 'process'] as const) {
    t.test(`STORE_SYNC=${sync}: ${sync === 'fsync' ? 'nothing is acknowledged before it is on disk' : 'the acknowledgement does not wait for the disk'}`, async (t) => {
      const folder = t.testdir()
      const trace = join(folder, 'trace')
      const service = await startService(folder, { STORE_SYNC: sync }, [strace, '-f', '-I1', '--seccomp-bpf', '-e', 'trace=write,writev,pwrite64,pwritev,fdatasync', '-o', trace])
      t.teardown(() => service.stop('SIGKILL'))
      const client = new AcknowledgedClient(service.port, 'p')
      await client.synced
      for (let i = 0; i < updates; i++) {
        client.doc.getText('text').insert(0, 'typed')
        await client.until(() => client.waiting === 0)
      }
      client.leave()
      await service.stop()
      const calls = callsOf(readFileSync(trace, 'utf8'))
      const before = calls.flatMap((call, i) => call === 'acknowledgement' ? [calls[i - 1]] : [])
      t.equal(before.length, updates)
      if (sync === 'fsync') t.same(new Set(before), new Set(['sync']))
      else t.ok(before.includes('write'), 'an acknowledgement was sent before the sync of its data')
    })
  }
}
