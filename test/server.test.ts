import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { cp, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { freePort } from './free-port.ts'
import { start } from './processes.ts'
import { secret } from './helper.ts'
import { programArguments } from './program.ts'
import { root as cwd } from './root.ts'

const command = programArguments('server')
const ready = /Server listening at (http:[^"]+)/

/** The type of the first y-websocket message to an admitted client; a denied one gets a permission message. */
const syncMessage = 0

/** Only the given settings: the environment of the test run could contain others. */
const environment = (env: Record<string, string>) => ({ PATH: process.env.PATH ?? '', ...env })

/** A start that must fail. */
function refused (env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd, env: environment(env), encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

// settings/failed-starts.test.ts has all others.
await t.test('An invalid setting stops the start with one line and exit code 1', async (t) => {
  t.same(refused({}), { status: 1, stdout: '', stderr: 'COLLABORATION_SERVER_SECRET is missing: set it (or COLLABORATION_SERVER_SECRET_FILE) to the same value as in Django\n' })
})

await t.test('A store in use by another service is reported in one line', async (t) => {
  const env = { COLLABORATION_SERVER_SECRET: secret, PORT: '0', DATA_DIR: t.testdir() }
  const other = await start(process.execPath, command, { ready, cwd, env })
  t.teardown(() => other.stop())
  const { status, stderr } = refused(env)
  t.equal(status, 1)
  t.match(stderr, /^DATA_DIR cannot be used: Another service [^\n]*\n$/)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  await t.test(`${signal} stops the service cleanly`, async (t) => {
    const service = await start(process.execPath, command, { ready, cwd, env: { COLLABORATION_SERVER_SECRET: secret, PORT: '0', DATA_DIR: t.testdir() } })
    t.teardown(() => service.stop('SIGKILL'))
    t.equal((await fetch(`${service.ready[1]}/ping`)).status, 200)
    t.equal(await service.stop(signal), 0)
    for (const line of [`"Received ${signal}; stopping"`, '"Stopped"']) t.match(service.output(), line)
  })
}

await t.test('A crash in native code ends the process at once: with a listener its instruction would repeat forever', async (t) => {
  const service = await start(process.execPath, command, { ready, cwd, env: { COLLABORATION_SERVER_SECRET: secret, PORT: '0', DATA_DIR: t.testdir() } })
  t.equal(await service.stop('SIGSEGV'), null, 'by the signal')
  t.notMatch(service.output(), 'stopping')
})

await t.test('An uncaught error is logged and ends the process', async (t) => {
  const fault = 'data:text/javascript,' + encodeURIComponent('process.once("SIGUSR1", () => { void Promise.reject(new Error("nobody caught this")) })')
  const service = await start(process.execPath, ['--import', fault, ...command], { ready, cwd, env: { COLLABORATION_SERVER_SECRET: secret, PORT: '0', DATA_DIR: t.testdir() } })
  t.equal(await service.stop('SIGUSR1'), 1)
  t.match(service.output(), /"level":60,.*nobody caught this.*"msg":"Unexpected error; stopping"/)
})

/**
 * A folder that looks like the project to `make dev`: all entries are links to the real one, and .env to `settings`.
 */
async function projectWith (t: Test, settings: string): Promise<string> {
  const folder = t.testdir({ settings, '.env': t.fixture('symlink', 'settings') })
  for (const name of ['Makefile', 'package.json', 'package-lock.json', 'tsconfig.json', 'src', 'node_modules']) await symlink(join(cwd, name), join(folder, name))
  // These find the project by their own location.
  for (const name of ['scripts', 'demo', 'examples/y-websocket']) await cp(join(cwd, name), join(folder, name), { recursive: true })
  return folder
}

await t.test('make dev allows its own demo whatever .env says, and restarts when .env changes', async (t) => {
  const [port, demoPort] = [await freePort(), await freePort()]
  const settings = `PORT=${port}\nDEMO_PORT=${demoPort}\nDATA_DIR=data\nCOLLABORATION_SERVER_ORIGIN=https://docs.example.org\nROOM_NAME_PATTERN=[a-z]{9}\n`
  const folder = await projectWith(t, `${settings}COLLABORATION_SERVER_SECRET_FILE=secret.txt\n`)
  await writeFile(join(folder, 'secret.txt'), 'secret-of-a-file\n')
  const service = await start('make', ['--silent', 'dev'], { ready, cwd: folder, env: {}, inherit: false })
  t.teardown(() => service.stop())
  t.notMatch(service.output(), /npm warn/i)
  const opens = async (room: string): Promise<boolean> => {
    // The request of the demo's own page.
    const { url, ticket } = await (await fetch(`http://127.0.0.1:${demoPort}/ticket?room=${room}&user=b`)).json() as { url: string, ticket: string }
    const socket = new WebSocket(`${url}/${room}?token=${ticket}`, { headers: { origin: `http://localhost:${demoPort}` } })
    socket.on('error', () => undefined) // a refused handshake
    const [message] = await Promise.race([once(socket, 'message'), once(socket, 'unexpected-response').then(() => [])]) as [Buffer?]
    socket.terminate()
    return message?.[0] === syncMessage
  }
  for (const room of ['demo', randomUUID(), 'ninewords']) t.ok(await opens(room), room)
  t.notOk(await opens('two words'), 'the pattern of .env still applies to other origins')
  const from = service.output().length
  await writeFile(join(folder, 'settings'), `${settings}COLLABORATION_SERVER_SECRET=another-secret\n`)
  await service.line(ready, { from })
  t.equal((await fetch(`http://127.0.0.1:${port}/nowhere`, { headers: { authorization: 'another-secret' } })).status, 404)
  t.ok(await opens('demo'))
})

await t.test('make dev reports a port in use with its variable', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const { status, stderr } = spawnSync(process.execPath, ['scripts/dev.mjs'], { cwd, env: environment({ PORT: String(port) }), encoding: 'utf8', timeout: 60_000 })
  t.equal(status, 1)
  t.equal(stderr, `PORT ${port} is taken: stop the program that listens there, or set PORT to another one\n`)
})

await t.test('make dev starts with a development secret and prints where to go', async (t) => {
  const port = String(await freePort())
  const service = await start('make', ['--silent', 'dev'], { ready: /Server listening at/, cwd, env: { PORT: port, DATA_DIR: t.testdir(), COLLABORATION_SERVER_SECRET: '', NODE_ENV: '' } })
  t.teardown(() => service.stop('SIGKILL'))
  t.match(service.output(), `curl http://127.0.0.1:${port}/ping`)
  t.match(service.output(), 'my-secret')
  t.notMatch(service.output(), /^\{/m, 'the log is readable')
  t.equal((await fetch(`http://127.0.0.1:${port}/nowhere`, { headers: { authorization: 'my-secret' } })).status, 404)
  await service.stop('SIGTERM')
  await t.rejects(fetch(`http://127.0.0.1:${port}/ping`), 'no file remains')
})
