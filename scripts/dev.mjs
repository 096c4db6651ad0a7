// Installs what is missing and starts the service for development: settings from .env, a secret that anybody knows, readable log, restart at each change.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import './install.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
if (existsSync('.env')) process.loadEnvFile('.env')

const { env } = process
const port = env.PORT || '4444'
const demoPort = Number(env.DEMO_PORT || 3000)
const defaults = {
  NODE_ENV: 'development',
  COLLABORATION_SERVER_SECRET: env.COLLABORATION_SERVER_SECRET_FILE ? '' : 'my-secret',
  COLLABORATION_SERVER_ORIGIN: `http://localhost:${demoPort},http://127.0.0.1:${demoPort}`,
}
for (const [name, value] of Object.entries(defaults)) env[name] ||= value

const address = `${env.HOST || '127.0.0.1'}:${port}`
const secret = env.COLLABORATION_SERVER_SECRET === 'my-secret' ? 'my-secret (send it as the Authorization header, as it is)' : 'yours, from the environment or .env'
// After the installation: these need its packages.
const { startDemo } = await import('../demo/server.mjs')
const demo = env.COLLABORATION_SERVER_SECRET
  ? await startDemo({ port: demoPort, secret: env.COLLABORATION_SERVER_SECRET, serviceUrl: `ws://${address}/collaboration/ws` })
  : undefined
process.stdout.write(`
  y-provider, for development

  see it work     ${demo ? `${demo.address}  (two editors, one document)` : `port ${demoPort} is taken; DEMO_PORT=… chooses another`}
  is it there?    curl http://${address}/ping
  browsers go to  ws://${address}/collaboration/ws/<room>
  secret          ${secret}
  settings        .env, see .env.example
  documents       ${env.DATABASE_URL ? 'PostgreSQL (DATABASE_URL)' : env.DATA_DIR || './data'}

  Ctrl-C stops it. It starts again when a file changes.

`)

// In a process group of its own: a Ctrl-C would reach the service twice otherwise, and the second one means "at once".
const service = spawn(process.execPath, ['--watch', '--watch-preserve-output', '--import', 'tsx', 'src/server.ts'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => service.kill(signal))
service.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
