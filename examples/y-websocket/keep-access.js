// keep-access.js
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const RENEWAL = 101

/**
 * Renews the access of y-websocket's WebsocketProvider (2.x and 3.x) every two minutes, and after a ticket has expired,
 * with another ticket from fetchTicket(). Calls onAccess(canEdit) with each answer of the server.
 * Returns { renew, stop }: renew() renews at once.
 */
export function keepAccess (provider, fetchTicket, onAccess) {
  let hasExpired = false
  let wasReplaced = false

  async function renew () {
    const ticket = await fetchTicket()
    provider.params = { token: ticket } // for the next connection
    if (hasExpired) provider.connect()
    else if (provider.wsconnected) {
      const message = encoding.createEncoder()
      encoding.writeVarUint(message, RENEWAL)
      encoding.writeVarString(message, ticket)
      provider.ws.send(encoding.toUint8Array(message))
    }
    hasExpired = false
  }
  const renewIfPossible = () => { renew().catch(() => {}) } // a failure is retried two minutes later

  provider.messageHandlers[RENEWAL] = (_encoder, decoder) => { onAccess(decoding.readVarUint(decoder) === 1) }
  provider.on('closed', ({ code }) => { // 3.x: closed for good
    hasExpired = code === 4401
    if (hasExpired && !wasReplaced) renewIfPossible()
    wasReplaced = true
  })
  provider.on('sync', (isSynced) => { if (isSynced) wasReplaced = false })
  const timer = setInterval(renewIfPossible, 120_000)
  return { renew, stop: () => { clearInterval(timer) } }
}
