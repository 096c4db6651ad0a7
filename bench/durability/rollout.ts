import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../../test/crash/service.ts'
import { freePort } from '../../test/free-port.ts'
import { connectHocuspocus } from '../../test/clients/hocuspocus-client.ts'
import { connectYWebsocket } from '../../test/clients/y-websocket-client.ts'

/**
 * Measures how closely together stock clients reconnect when the service is replaced by a new process: `count` of each
 * kind, 20 to a room.
 */
export async function rollout (count: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'y-bench-'))
  const env = { PORT: String(await freePort()), SHUTDOWN_TIMEOUT_MS: '10000' }
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true })]
  const test = { teardown: (step: () => unknown) => { undo.push(step) } }
  const first = await startService(folder, env)
  const url = `ws://127.0.0.1:${env.PORT}`
  const returns = { 'y-websocket': [] as number[], Hocuspocus: [] as number[] }
  let isFirst = true
  let stoppedAt = 0
  let waiting = 2 * count
  await new Promise<void>((resolve, reject) => {
    const opened = (kind: keyof typeof returns): void => {
      if (!isFirst) returns[kind].push(performance.now() - stoppedAt)
      if (--waiting > 0) return
      if (!isFirst) return resolve()
      isFirst = false
      waiting = 2 * count
      stoppedAt = performance.now()
      first.stop('SIGTERM').then(async () => {
        const second = await startService(folder, env)
        undo.unshift(() => second.stop())
        console.log(`the new process listens ${Math.round(performance.now() - stoppedAt)} ms after SIGTERM`)
      }).catch(reject)
    }
    for (let i = 0; i < count; i++) {
      const room = `room ${i % Math.ceil(count / 20)}`
      connectYWebsocket(test, url, room, { isPatient: true }).provider.on('status', ({ status }) => { if (status === 'connected') opened('y-websocket') })
      connectHocuspocus(test, url, room, { isPatient: true }).provider.configuration.websocketProvider.on('open', () => { opened('Hocuspocus') })
    }
  })
  for (const [kind, moments] of Object.entries(returns)) {
    const sorted = moments.sort((a, b) => a - b)
    const within100ms = (from: number): number =>
      sorted.filter((moment) => moment >= from && moment < from + 100).length
    const most = Math.max(...sorted.map(within100ms))
    console.log(`${count} ${kind}: back between ${Math.round(sorted[0] ?? 0)} and ${Math.round(sorted.at(-1) ?? 0)} ms after SIGTERM; in the fullest 100 ms ${most}`)
  }
  for (const step of undo.reverse()) await step()
}
