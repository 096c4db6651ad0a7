// Installs what is missing and starts the service for development: settings from .env, `my-secret`, a readable
// log, a restart after each change.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watchFile } from 'node:fs'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { reachable, readVariables, secretOf, withOrigins, withRooms } from './dev-settings.mjs'
import { installPackages } from './packages.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
installPackages({ demoOnly: true })
// Imports packages, so it is loaded after their installation.
const { startDemo } = await import('../demo/server.mjs')

/** Ms without a change before `.env` is read: editors write a file in several steps. */
const settleMs = 200

/** Ms between two checks of `.env`. Unlike a notification, polling also finds changes behind a link. */
const lookEveryMs = 300

/**
 * @returns the port, a free one for 0, or undefined if another program listens on it. The service reports any other
 * fault of the address
 */
async function findPort (host, port) {
  const probe = createServer()
  try {
    await once(probe.listen(port, host), 'listening')
    return probe.address().port
  } catch (error) {
    return error.code === 'EADDRINUSE' ? undefined : port
  } finally {
    probe.close()
  }
}

function fail (line) {
  process.stderr.write(line + '\n')
  process.exit(1)
}

async function start () {
  const env = readVariables()
  const host = env.HOST ?? '127.0.0.1'
  const wantedPort = env.PORT ?? '4444'
  const port = await findPort(host, wantedPort)
  if (port === undefined) {
    fail(`PORT ${wantedPort} is taken: stop the program that listens there, or set PORT to another one`)
  }
  const demoPort = Number(env.DEMO_PORT ?? 3000)
  if (!Number.isInteger(demoPort) || demoPort < 0 || demoPort > 65535) fail('DEMO_PORT must be a whole number, 0 to 65535')

  const address = `${reachable(host)}:${port}`
  const secret = secretOf(env)
  const serviceUrl = `ws://${address}/collaboration/ws`
  // If both want one port, the service gets it.
  const freeDemoPort = demoPort === Number(port) ? 0 : demoPort
  const demo = secret ? await startDemo({ port: freeDemoPort, secret, serviceUrl }) : undefined
  const forDemo = demo ? settingsForDemo(env, demo.port) : {}
  process.stdout.write(`
  y-provider, for development

  see it work     ${demo ? `${demo.address}  (two editors, one document)` : whyNoDemo(secret, demoPort)}
  check it        curl http://${address}/ping
  WebSocket       ${serviceUrl}/<room>
  secret          ${secret === 'my-secret' ? 'my-secret (the raw Authorization header)' : 'yours, from the environment or .env'}
  settings        .env, see .env.example
  documents       ${env.DATABASE_URL ? 'PostgreSQL (DATABASE_URL)' : env.DATA_DIR ?? './data'}

  Starting: it is ready once the log says "Server listening". Ctrl-C stops it. It restarts when a file changes, .env
  included.

`)
  // In its own process group: otherwise Ctrl-C would reach the service twice, and the second signal stops it at once.
  const command = ['--watch', '--watch-preserve-output', '--import', 'tsx', 'src/server.ts']
  const service = spawn(process.execPath, command, {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: { ...env, ...forDemo, PORT: String(port) },
  })
  service.on('exit', endWith)
  return { service, demo }
}

function settingsForDemo ({ COLLABORATION_SERVER_ORIGIN: origins, ROOM_NAME_PATTERN: rooms }, port) {
  const admitted = { COLLABORATION_SERVER_ORIGIN: withOrigins(origins, port) }
  return rooms === undefined ? admitted : { ...admitted, ROOM_NAME_PATTERN: withRooms(rooms) }
}

const whyNoDemo = (secret, port) => secret
  ? `DEMO_PORT ${port} is taken: set DEMO_PORT to another one`
  : 'needs a secret'

/** Ends with the exit code of the service. */
function endWith (code, signal) {
  process.exit(code ?? 128 + constants.signals[signal])
}

async function stop ({ service, demo }) {
  service.off('exit', endWith)
  demo?.close()
  service.kill('SIGTERM')
  await once(service, 'exit')
}

let running = await start()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => running.service.kill(signal))

let restarting = Promise.resolve()
let settling
watchFile('.env', { interval: lookEveryMs }, (now, before) => {
  if (now.mtimeMs === before.mtimeMs) return // the file was only read
  clearTimeout(settling)
  settling = setTimeout(() => {
    restarting = restarting.then(async () => {
      process.stdout.write('.env has changed; restarting\n')
      await stop(running)
      running = await start()
    })
  }, settleMs)
})
