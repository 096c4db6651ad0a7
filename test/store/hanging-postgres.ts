import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** The answers to a request for TLS (not supported) and to the first message (admitted, ready for a statement). */
const noTls = Buffer.from('N')
const letIn = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/**
 * A request for TLS has 8 bytes; the first message is longer.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
const tlsRequestBytes = 8

/** A server that admits everybody, as PostgreSQL would, and then answers no statement. */
export async function hangingPostgres (): Promise<{ readonly port: number, close (): void }> {
  const server = createServer((socket) => {
    let isIn = false
    socket.on('error', () => {}) // the client was killed
    socket.on('data', (message) => {
      if (isIn) return
      isIn = message.length > tlsRequestBytes
      socket.write(isIn ? letIn : noTls)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // listen() on a TCP port gives an object; only pipes give a string.
  return { port: (server.address() as AddressInfo).port, close: () => { server.close() } }
}
