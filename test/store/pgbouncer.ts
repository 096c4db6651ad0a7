import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../free-port.ts'

const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find((path) => existsSync(path))

/** Starts PgBouncer in transaction mode, with two connections to the server, in front of the PostgreSQL at `port`. */
export async function startPooler (port: number, user: string): Promise<{ port: number, stop: () => Promise<void> }> {
  if (!pgbouncer) throw new Error('PgBouncer was not found: apt-get install pgbouncer')
  const folder = await mkdtemp(join(tmpdir(), 'y-pgb-'))
  const listenPort = await freePort()
  await chmod(folder, 0o755)
  await writeFile(join(folder, 'users'), `"${user}" ""\n`)
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, `[databases]
* = host=127.0.0.1 port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = trust
auth_file = ${folder}/users
pool_mode = transaction
default_pool_size = 2
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`)
  const child = spawn(pgbouncer, [file], { stdio: ['ignore', 'ignore', 'pipe'] })
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('process up')) break
  }
  child.stderr.resume()
  return {
    port: listenPort,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true })
    },
  }
}
