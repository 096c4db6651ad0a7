import { secret } from '../helper.ts'
import { start, type Running } from '../processes.ts'
import { programArguments } from '../program.ts'
import { root as cwd } from '../root.ts'

/** The service in a process of its own, to be killed. */
export interface Service extends Running {
  readonly port: number
}

/** Starts the service on a folder of documents. `env` adds settings, `wrapper` is a program that runs it (strace). */
export async function startService (
  dataDir: string,
  env: Record<string, string> = {},
  wrapper: readonly string[] = []
): Promise<Service> {
  const [command = '', ...args] = [...wrapper, process.execPath, ...programArguments('server')]
  const running = await start(command, args, {
    ready: /Server listening at http:\/\/127\.0\.0\.1:(\d+)/,
    readyTimeoutMs: 60_000,
    cwd,
    inherit: false,
    env: { COLLABORATION_SERVER_SECRET: secret, DATA_DIR: dataDir, PORT: '0', ...env },
  })
  return { ...running, port: Number(running.ready[1]) }
}
