import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy to a port of this machine that can be cut. */
export interface TcpProxy {
  readonly port: number
  /** Ends all connections and refuses new ones. */
  cut (): void
  restore (): void
  /** Ends all connections, and forwards new ones to this port from now on. */
  lead (to: number): void
  close (): void
}

export async function startTcpProxy (to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let target = to
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket)
      socket.on('error', () => {}) // 'close' follows
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = (): void => { for (const socket of sockets) socket.destroy() }
  return {
    port: (server.address() as AddressInfo).port, // listen() on a TCP port gives an object
    cut: () => {
      isCut = true
      end()
    },
    restore: () => { isCut = false },
    lead: (to) => {
      target = to
      end()
    },
    close: () => {
      server.close()
      end()
    },
  }
}
