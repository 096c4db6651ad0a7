// stored.js
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const STORED = 100

/**
 * Tells whether everything written in this window is in the server's store: calls onChange(false) when
 * something is not, and onChange(true) when all is. For y-websocket's WebsocketProvider, 1.x to 3.x.
 */
export function watchStored (provider, onChange) {
  let number = 0
  let timer
  const ask = () => {
    clearTimeout(timer)
    if (!provider.synced) return // asked as soon as it is
    const question = encoding.createEncoder()
    encoding.writeVarUint(question, STORED)
    encoding.writeVarUint(question, ++number)
    provider.ws.send(encoding.toUint8Array(question))
  }
  provider.messageHandlers[STORED] = (_encoder, decoder) => {
    const isLatest = decoding.readVarUint(decoder) === number
    const isStored = decoding.readVarUint(decoder) === 1
    if (isLatest) onChange(isStored)
  }
  provider.doc.on('update', (_update, origin) => {
    if (origin === provider) return
    number++ // an answer to an earlier question says nothing of this
    onChange(false)
    clearTimeout(timer)
    timer = setTimeout(ask, 200)
  })
  provider.on('sync', (isSynced) => { if (isSynced) ask() })
}
