import { randomUUID } from 'node:crypto'
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { ownKey } from './layout.ts'
import type { LmdbTree } from './tree.ts'

/** Another service uses this store. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse'
}

/** The exclusive use of a store. */
export interface Ownership {
  /** Lets another service use the store. */
  release (): Promise<void>
}

interface Owner {
  /** The name of its socket in the store's folder. */
  readonly socket: string
  readonly pid: number
}

const ownerKey = ownKey('owner')

const socketPrefix = 'service-'

/** Bytes; the longest path of a Unix socket that both Linux (107) and macOS (103) accept. */
const maxSocketPathBytes = 103

/**
 * Makes this service the only one that uses the store in `folder`. The owner listens on a Unix socket there while it
 * runs; the kernel closes the socket however the process ends, so a dead owner is never mistaken for a live one.
 * Process ids would mean nothing between containers. The store itself records its owner, so that one of several
 * services that start at once wins.
 * @throws StoreInUse
 */
export async function becomeOwner (tree: LmdbTree, folder: string): Promise<Ownership> {
  const socket = `${socketPrefix}${randomUUID().slice(0, 8)}.sock`
  const sockets = await open(folder)
  const server = await listen(socketPath(sockets, folder, socket))
  try {
    for (;;) {
      const seen = tree.getBinary(ownerKey)?.toString()
      const owner = seen === undefined ? undefined : parseOwner(seen)
      if (owner && await answers(socketPath(sockets, folder, owner.socket))) {
        throw new StoreInUse(`Another service (process ${owner.pid}) uses the store in ${folder}: stop it first, or give this one its own DATA_DIR`)
      }
      if (take(tree, seen, { socket, pid: process.pid })) {
        if (owner) await unlink(join(folder, owner.socket)).catch(ignoreMissing)
        return { release: () => release(tree, server, socket, sockets) }
      }
    }
  } catch (error) {
    await closed(server)
    await sockets.close()
    throw error
  }
}

/** Whether a service uses the store in `folder`, or is about to. Does not open the store. */
export async function hasOwner (folder: string): Promise<boolean> {
  const sockets = await open(folder)
  try {
    const names = (await readdir(folder)).filter((name) => name.startsWith(socketPrefix))
    const answered = await Promise.all(names.map((name) => answers(socketPath(sockets, folder, name))))
    return answered.includes(true)
  } finally {
    await sockets.close()
  }
}

/** Records the new owner, unless another service has been faster. */
function take (tree: LmdbTree, seen: string | undefined, owner: Owner): boolean {
  return tree.transactionSync(() => {
    if (tree.getBinary(ownerKey)?.toString() !== seen) return false
    tree.putSync(ownerKey, Buffer.from(JSON.stringify(owner)))
    return true
  })
}

async function release (tree: LmdbTree, server: Server, socket: string, sockets: FileHandle): Promise<void> {
  tree.transactionSync(() => {
    const seen = tree.getBinary(ownerKey)?.toString()
    if (seen !== undefined && parseOwner(seen)?.socket === socket) tree.removeSync(ownerKey)
  })
  await closed(server)
  await sockets.close()
}

function parseOwner (text: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    if (typeof owner !== 'object' || owner === null || !('socket' in owner) || !('pid' in owner)) return undefined
    return typeof owner.socket === 'string' && typeof owner.pid === 'number' ? { socket: owner.socket, pid: owner.pid } : undefined
  } catch {
    return undefined
  }
}

function listen (path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((caller) => caller.destroy())
    server.unref()
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

/**
 * Whether a service listens on the socket. Throws unexpected failures: taking a live owner for dead could lose data.
 */
function answers (path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}

function closed (server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function ignoreMissing (error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

/** The path of a socket. If it is too long, Linux also accepts the short path through the open folder. */
function socketPath (opened: FileHandle, folder: string, name: string): string {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path
  if (process.platform === 'linux') return `/proc/self/fd/${opened.fd}/${name}`
  throw new Error(`The path of the data folder is too long for a socket in it (${maxSocketPathBytes} bytes with the socket's name): ${folder}`)
}
