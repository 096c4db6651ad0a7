import { randomUUID } from 'node:crypto'
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { LmdbTree } from './transaction.ts'
import { ownKey } from './layout.ts'

/** Another service works on this store. */
export class StoreInUse extends Error {
  override readonly name = 'StoreInUse'
}

export interface Ownership {
  release (): Promise<void>
}

interface Owner {
  /** Name of its socket in the store's folder */
  readonly socket: string
  readonly pid: number
}

const OWNER = ownKey('owner')

const SOCKET_PREFIX = 'service-'

/** Longest path of a Unix socket that both Linux (107) and macOS (103) take. */
const MAX_SOCKET_PATH = 103

/**
 * Makes sure that one service only works on the store in `folder`. The owner listens on a Unix socket there for as
 * long as it lives; the kernel closes it whichever way the process ends, so a dead owner is never mistaken for a live
 * one, nor the other way round in containers, where process ids mean nothing. Who is the owner is written in the store
 * itself, so that of several that start at once one wins.
 * @throws StoreInUse
 */
export async function becomeOwner (tree: LmdbTree, folder: string): Promise<Ownership> {
  const socket = `${SOCKET_PREFIX}${randomUUID().slice(0, 8)}.sock`
  const sockets = await open(folder)
  const server = await listen(socketPath(sockets, folder, socket))
  try {
    for (;;) {
      const seen = tree.getBinary(OWNER)?.toString()
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

/** Whether a service works on a store in `folder`, or is about to; the store itself is not looked at. */
export async function hasOwner (folder: string): Promise<boolean> {
  const sockets = await open(folder)
  try {
    const names = (await readdir(folder)).filter((name) => name.startsWith(SOCKET_PREFIX))
    const answered = await Promise.all(names.map((name) => answers(socketPath(sockets, folder, name))))
    return answered.includes(true)
  } finally {
    await sockets.close()
  }
}

/** Writes the new owner where nobody has been faster. */
function take (tree: LmdbTree, seen: string | undefined, owner: Owner): boolean {
  return tree.transactionSync(() => {
    if (tree.getBinary(OWNER)?.toString() !== seen) return false
    tree.putSync(OWNER, Buffer.from(JSON.stringify(owner)))
    return true
  })
}

async function release (tree: LmdbTree, server: Server, socket: string, sockets: FileHandle): Promise<void> {
  tree.transactionSync(() => {
    const seen = tree.getBinary(OWNER)?.toString()
    if (seen !== undefined && parseOwner(seen)?.socket === socket) tree.removeSync(OWNER)
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

/** Whether somebody listens there. Any other failure than "nobody does" is thrown: to guess "dead" could cost data. */
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

/** A path of any length would be too long for a socket; Linux also takes the way through the open folder, which is short. */
function socketPath (opened: FileHandle, folder: string, name: string): string {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path
  if (process.platform === 'linux') return `/proc/self/fd/${opened.fd}/${name}`
  throw new Error(`The path of the data folder is too long for a socket in it (${MAX_SOCKET_PATH} bytes with the socket's name): ${folder}`)
}
