import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that the kernel gives to connections, of which one could take the port first. Redis Cluster also uses
 * the port 10,000 higher.
 */
const [lowest, count] = [10_000, 12_000]

/** Test files that run at the same time begin far apart. */
let next = process.pid * 97

/** A TCP port of 127.0.0.1 that was free a moment ago, for a program that cannot choose one itself. */
export async function freePort (): Promise<number> {
  for (let tries = 0; tries < count; tries++) {
    const port = lowest + next++ % count
    if (await isFree(port)) return port
  }
  throw new Error(`All ports from ${lowest} to ${lowest + count - 1} are taken`)
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
