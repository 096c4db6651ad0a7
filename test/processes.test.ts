import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import t from 'tap'
import { freePort } from './free-port.ts'
import { requireProgram, requirePython, start } from './processes.ts'

const node = process.execPath
const speaker = "console.log('listening on 4711'); setInterval(() => {}, 1000)"

await t.test('start resolves once the ready line appears, and stop ends the process', async (t) => {
  const child = await start(node, ['-e', speaker], { ready: /listening on (\d+)/ })
  t.equal(child.ready[1], '4711')
  t.match(child.output(), /4711/)
  t.equal(await child.stop(), null, 'a signal ended it')
  t.equal(await child.stop(), null, 'stopping again is harmless')
  t.throws(() => process.kill(child.pid, 0), { code: 'ESRCH' })
})

await t.test('The environment is added to the current one, and the exit code is returned', async (t) => {
  const code = "process.on('SIGTERM', () => process.exit(7)); console.error(process.env.GREETING, !!process.env.PATH); setInterval(() => {}, 1000)"
  const child = await start(node, ['-e', code], { ready: /hello true/, env: { GREETING: 'hello' } })
  t.equal(await child.stop(), 7)
})

await t.test('The current environment can be left out', async (t) => {
  process.env['LEFT_BEHIND'] = 'here'
  t.teardown(() => { delete process.env['LEFT_BEHIND'] })
  const child = await start(node, ['-e', "console.log(process.env.LEFT_BEHIND ?? 'gone', !!process.env.PATH)"], { ready: /gone true/, inherit: false })
  await child.stop()
})

await t.test('line waits for later output', async (t) => {
  const port = await freePort()
  const code = `require('net').createServer((s) => { console.log('somebody came'); s.end() }).listen(${port}, '127.0.0.1', () => console.log('up'))`
  const child = await start(node, ['-e', code], { ready: /up/ })
  t.teardown(() => child.stop())
  const line = child.line(/somebody came/)
  connect(port, '127.0.0.1').resume()
  await line
  await t.rejects(child.line(/never/, { timeoutMs: 10 }), /did not print/)
})

await t.test('A process that ends, stays silent or does not exist rejects with its output', async (t) => {
  await t.rejects(start(node, ['-e', "console.error('no such setting'); process.exit(1)"], { ready: /up/ }), /ended with 1\n.*no such setting/s)
  await t.rejects(start(node, ['-e', speaker], { ready: /never/, readyTimeoutMs: 50 }), /did not print .*never/)
  await t.rejects(start('/nowhere/program', [], { ready: /up/ }), /ENOENT/)
})

await t.test('A missing program is reported with the package that provides it', async (t) => {
  t.throws(() => requireProgram('/nowhere/nginx', 'nginx-light'), /apt-get install nginx-light/)
  requireProgram(node, 'nodejs')
  t.throws(() => requirePython({ json: 'python3', no_such_module: 'python3-no-such' }), /no_such_module: apt-get install python3-no-such$/)
})

await t.test('freePort returns a port that is free to listen on', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  server.close()
})
