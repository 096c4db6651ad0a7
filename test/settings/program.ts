import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Packages that are native or load others by name; the rest of node_modules is in the bundle. */
const external = ['lmdb', 'pino-pretty', 'pg-native']

/** What packages in the bundle load with `require`. */
const withRequire = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** The service as one program: it starts in a fifth of the time that the sources take. @returns its path in `folder`, which must be inside the project */
export async function bundle (folder: string): Promise<string> {
  const entry = fileURLToPath(new URL('../../src/server.ts', import.meta.url))
  await build({ entryPoints: [entry], bundle: true, keepNames: true, external, format: 'esm', platform: 'node', splitting: true, banner: { js: withRequire }, outdir: folder, logLevel: 'error' })
  // The service reads its version there.
  await copyFile(new URL('../../package.json', import.meta.url), join(folder, '../package.json'))
  return join(folder, 'server.js')
}

/** What root may do and others may not; without these it meets a folder of another user, or port 1, as they do. */
const privileges = ['dac_override', 'dac_read_search', 'net_bind_service'].map((name) => `-${name}`).join(',')
const unprivileged = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', privileges, '--inh-caps', privileges] : []

/** A start that hangs is killed after this long: three times what the service allows itself, for a busy machine, and half of what one statement may take. */
const killAfterMs = 30_000

/** Runs the program, with nothing in its environment but what is given, until it ends. */
export async function runToEnd (program: string, env: Record<string, string>): Promise<{ code: number | null, out: string, err: string }> {
  const [command = '', ...args] = [...unprivileged, process.execPath, program]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ...env }, timeout: killAfterMs, killSignal: 'SIGKILL' })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, out, err }
}
