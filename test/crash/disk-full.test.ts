import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { Ledger } from './ledger.ts'
import { Random, series } from './random.ts'
import { startService, type Service } from './service.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'
import { flooder, write } from './writer.ts'
import { readDocument } from '../clients/acknowledged-client.ts'

const { rounds, seed, isLong } = series(1)
const random = new Random(seed)
const rooms = ['a', 'b', 'c']

if (process.getuid?.() !== 0 && process.env.CI === undefined) {
  t.comment('A small disk can only be mounted by root: run this file with sudo to test a full one.')
} else {
  for (const ending of ['waits until there is room', 'is killed'] as const) {
    t.test(`The disk is full, and the service ${ending} (CRASH_ROUNDS=${rounds} CRASH_SEED=${seed})`, async (t) => {
      for (let round = 0; round < (isLong ? Math.ceil(rounds / 10) : 1); round++) {
        const disk = mountSmallDisk(3 + random.below(3))
        const wrong = await fill(disk, ending === 'is killed').finally(() => { disk.unmount() })
        if (wrong !== undefined) return t.fail(`round ${round}: ${wrong}`)
      }
      t.pass('nothing acknowledged is lost')
    })
  }
}

/** @returns the fault; undefined if there is none */
async function fill (disk: SmallDisk, isKilled: boolean): Promise<string | undefined> {
  const ledger = new Ledger()
  const service = await startService(disk.path)
  const habits = { ...flooder, pasteEvery: 20 }
  const writers = rooms.map((room) => write(service.port, room, ledger, new Random(random.below(2 ** 31)), habits))
  try {
    await service.line(/"msg":"Failed to store updates/, { timeoutMs: 120_000 })
    // Near the end a smaller update can still fit after a larger one has not: then it is ready once more, for a moment.
    if (!await becomes(service, 503)) return 'the service never says that it is not ready'
    if (!isKilled) {
      disk.resize(64)
      await service.line(/"msg":"The store takes updates again"/)
      await ledger.reach(ledger.count + 100)
      if (!await becomes(service, 200)) return 'the service does not say that it is ready again'
    }
  } finally {
    await service.stop('SIGKILL')
  }
  await Promise.all(writers)
  return await whatIsLost(disk, ledger)
}

/** Starts the service again: on the full disk, where everything must be readable, or on the larger one. */
async function whatIsLost (disk: SmallDisk, ledger: Ledger): Promise<string | undefined> {
  const service = await startService(disk.path)
  try {
    for (const room of ledger.documents) {
      const fault = ledger.fault(room, await readDocument(service.port, room))
      if (fault !== undefined) return `${room}: ${fault}`
    }
    return undefined
  } finally {
    await service.stop()
  }
}

/** @returns whether its readiness becomes this within a minute */
async function becomes ({ port }: Service, status: number): Promise<boolean> {
  for (const until = Date.now() + 60_000; Date.now() < until; await setTimeout(20)) {
    if ((await fetch(`http://127.0.0.1:${port}/health/ready`)).status === status) return true
  }
  return false
}
