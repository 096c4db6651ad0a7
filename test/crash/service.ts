import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { secret } from '../helper.ts'
import { start, type Running } from '../processes.ts'

const cwd = fileURLToPath(new URL('../..', import.meta.url))

/** The build, which starts twice as fast, where it is newer than every source; else the sources, so that no old build is ever tested. */
const program = isBuilt() ? ['dist/server.js'] : ['--import', 'tsx', 'src/server.ts']

function isBuilt (): boolean {
  const built = join(cwd, 'dist/server.js')
  if (!existsSync(built)) return false
  const builtAt = statSync(built).mtimeMs
  return readdirSync(join(cwd, 'src'), { recursive: true, encoding: 'utf8' }).every((name) => statSync(join(cwd, 'src', name)).mtimeMs < builtAt)
}

/** The service as a process of its own, to be killed. */
export interface Service extends Running {
  readonly port: number
}

/** Starts the service on a folder of documents; `env` is added to its settings, `wrapper` is a program that runs it (strace). */
export async function startService (dataDir: string, env: Record<string, string> = {}, wrapper: readonly string[] = []): Promise<Service> {
  const [command = '', ...args] = [...wrapper, process.execPath, ...program]
  const running = await start(command, args, {
    ready: /Server listening at http:\/\/127\.0\.0\.1:(\d+)/,
    readyTimeoutMs: 60_000,
    cwd,
    inherit: false,
    env: { COLLABORATION_SERVER_SECRET: secret, DATA_DIR: dataDir, PORT: '0', ...env },
  })
  return { ...running, port: Number(running.ready[1]) }
}
